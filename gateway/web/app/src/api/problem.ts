/** What a service says when it refuses: RFC 9457 problem+json with a stable `code`. */
export type ProblemBody = {
  type?: string;
  title?: string;
  status?: number;
  code?: string;
  detail?: string;
  /** Where in the body (RFC 6901). */
  pointer?: string;
  errors?: { pointer?: string; message?: string }[];
};

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly body: ProblemBody;

  constructor(status: number, body: ProblemBody) {
    super(body.detail || body.title || fallback(status));
    this.name = 'Problem';
    this.status = status;
    this.code = body.code ?? `http_${status}`;
    this.body = body;
  }

  /** Messages by field, for forms: `{"email": "…"}`. */
  get fields(): Record<string, string> {
    const places = [...(this.body.errors ?? []), { pointer: this.body.pointer, message: this.message }];
    const found = places.map(({ pointer, message }) => [fieldOf(pointer), message ?? this.message]);
    return Object.fromEntries(found.filter(([field]) => field));
  }
}

/** "/fee/amount" (RFC 6901) is the form's "fee.amount". */
const fieldOf = (pointer = '') => pointer.replace(/^[#/]+/, '').replaceAll('/', '.');

function fallback(status: number): string {
  if (status === 0) return 'Praxis could not be reached. Check your connection; nothing you typed is lost.';
  if (status === 403) return 'Your role does not allow this. Ask an owner of the firm.';
  if (status === 404) return 'This does not exist, or you may not see it.';
  if (status === 412)
    return 'Somebody else changed this a moment ago. It was loaded again; please look and repeat.';
  if (status === 429) return 'Too many tries. Wait a minute and try again.';
  if (status >= 500) return 'A part of Praxis is not answering. Try again in a moment.';
  return 'That did not work.';
}

/** The sentence to show for anything that was thrown. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const isProblem = (error: unknown, status?: number): error is Problem =>
  error instanceof Problem && (status === undefined || error.status === status);

/** 400 and 422 name fields; a form shows them where they belong. */
export const fieldErrors = (error: unknown): Record<string, string> => (isProblem(error) ? error.fields : {});
