import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { quietly, send } from './http';
import { Problem } from './problem';
import { isExpired, sessionRestored } from './session';

// The network is the port: each test says what answers, and reads what was asked.
const asked: { url: string; method: string; headers: Headers; body: string }[] = [];
let answers: (url: string) => Response | Error;
const real = globalThis.fetch;

beforeEach(() => {
  asked.length = 0;
  globalThis.fetch = (async (url: RequestInfo | URL, init: RequestInit = {}) => {
    const bytes = init.body as ArrayBuffer | undefined;
    asked.push({
      url: String(url),
      method: init.method ?? 'GET',
      headers: new Headers(init.headers),
      body: bytes ? new TextDecoder().decode(bytes) : '',
    });
    const answer = answers(String(url));
    if (answer instanceof Error) throw answer;
    return answer;
  }) as typeof fetch;
});
afterEach(() => {
  globalThis.fetch = real;
  sessionRestored();
});

const request = (method: string, body?: object, headers = {}) =>
  new Request('http://praxis.test/api/clients/v1/clients', {
    method,
    headers,
    body: body && JSON.stringify(body),
  });
const refused = () => new Response('{}', { status: 401 });
const fine = () => new Response('{}', { status: 200 });
const toRefresh = () => asked.filter(({ url }) => url.includes('/sessions/refresh'));
const toClients = () => asked.filter(({ url }) => url.includes('/clients'));

test('a POST carries an idempotency key, and keeps it when it is sent again after renewal', async () => {
  let first = true;
  answers = (url) => {
    if (url.includes('refresh')) return fine();
    const answer = first ? refused() : fine();
    first = false;
    return answer;
  };
  const answer = await send(request('POST', { name: 'Example' }));
  expect(answer.status).toBe(200);
  const [one, two] = toClients();
  expect(one.headers.get('Idempotency-Key')).toBeTruthy();
  expect(two.headers.get('Idempotency-Key')).toBe(one.headers.get('Idempotency-Key'));
  expect(two.body).toBe('{"name":"Example"}');
});

test('many requests that find the session expired renew it once', async () => {
  let renewed = false;
  answers = (url) => {
    if (!url.includes('refresh')) return renewed ? fine() : refused();
    renewed = true;
    return fine();
  };
  await Promise.all(Array.from({ length: 5 }, () => send(request('GET'))));
  expect(toRefresh()).toHaveLength(1);
});

test('a renewal that another tab has done counts', async () => {
  let first = true;
  answers = (url) => {
    if (url.includes('refresh')) return new Response('{"code":"refresh_raced"}', { status: 409 });
    const answer = first ? refused() : fine();
    first = false;
    return answer;
  };
  expect((await send(request('GET'))).status).toBe(200);
});

test('when renewal is refused the request waits for the password and then goes on', async () => {
  let signedIn = false;
  answers = (url) => (url.includes('refresh') || !signedIn ? refused() : fine());
  const waiting = send(request('PATCH', { name: 'Typed' }));
  await vi.waitFor(() => expect(isExpired()).toBe(true));
  signedIn = true;
  sessionRestored();
  expect((await waiting).status).toBe(200);
  expect(asked.at(-1)?.body).toBe('{"name":"Typed"}');
});

test('a quiet question about who is signed in takes no for an answer', async () => {
  answers = refused;
  expect((await send(request('GET', undefined, quietly))).status).toBe(401);
  expect(isExpired()).toBe(false);
  expect(asked[0].headers.has('x-quiet')).toBe(false);
});

test('a line that drops is a problem that says what to do', async () => {
  answers = () => new TypeError('Failed to fetch');
  await expect(send(request('GET'))).rejects.toThrow(Problem);
  await expect(send(request('GET'))).rejects.toThrow(/nothing you typed is lost/);
});
