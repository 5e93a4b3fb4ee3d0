// Renewal of the signed-in session. Tokens live in HttpOnly cookies: this code never sees one.
const base = '/api/identity/v1/sessions';

let renewing: Promise<boolean> | null = null;
let signingIn: { promise: Promise<void>; resolve: () => void } | null = null;
const listeners = new Set<() => void>();

/** Renews the access cookie once for everybody who asks at the same time. */
export function renew(): Promise<boolean> {
  renewing ??= fetch(`${base}/refresh`, {
    method: 'POST',
    headers: { 'Idempotency-Key': crypto.randomUUID() },
  })
    // 409: another tab has renewed a moment ago; the cookies are new already.
    .then((answer) => answer.ok || answer.status === 409)
    .catch(() => false)
    .finally(() => {
      renewing = null;
    });
  return renewing;
}

/** Waits until the person has signed in again; what they were doing then goes on, and nothing typed is lost. */
export function signedInAgain(): Promise<void> {
  if (!signingIn) {
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    signingIn = { promise, resolve };
    notify();
  }
  return signingIn.promise;
}

export function sessionRestored(): void {
  signingIn?.resolve();
  signingIn = null;
  notify();
}

export const isExpired = () => signingIn !== null;

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  for (const listener of listeners) listener();
}
