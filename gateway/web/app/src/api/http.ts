import { Problem, type ProblemBody } from './problem';
import { renew, signedInAgain } from './session';

/** Ask without the sign-in prompt: the answer 401 itself is wanted. */
export const quietly = { 'x-quiet': '1' };

/**
 * The one way to a service. Adds the idempotency key every POST needs (kept over a retry), renews an expired
 * session once, and asks for the password only when renewal is refused.
 */
export async function send(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  const quiet = headers.has('x-quiet');
  headers.delete('x-quiet');
  if (request.method === 'POST' && !headers.has('Idempotency-Key')) {
    headers.set('Idempotency-Key', crypto.randomUUID());
  }
  const body = request.body ? await request.clone().arrayBuffer() : undefined;
  const once = () =>
    fetch(request.url, {
      method: request.method,
      headers,
      body,
      signal: request.signal,
      credentials: 'same-origin',
    });

  const answer = await reach(once);
  if (answer.status !== 401) return answer;
  if (await renew()) return reach(once);
  if (quiet) return answer;
  await signedInAgain();
  return reach(once);
}

async function reach(once: () => Promise<Response>): Promise<Response> {
  try {
    return await once();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, {});
  }
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer's body, or a thrown Problem. */
export async function body<T>(asked: Promise<Answer<T>>): Promise<NonNullable<T>> {
  return (await answerOf(asked)).data;
}

/** The answer's body with its ETag, for a later If-Match. */
export async function answerOf<T>(
  asked: Promise<Answer<T>>,
): Promise<{ data: NonNullable<T>; etag: string }> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new Problem(response.status, asProblem(error));
  return { data: data as NonNullable<T>, etag: response.headers.get('ETag') ?? '' };
}

const asProblem = (error: unknown): ProblemBody =>
  error && typeof error === 'object' ? (error as ProblemBody) : {};
