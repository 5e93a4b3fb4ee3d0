import { useState } from 'react';

/**
 * The token of a mailed link. It stands behind the "#", so that no server logs it, and it leaves the address
 * at once, so that no history keeps it.
 */
export function useMailedToken(): string {
  const [token] = useState(() => {
    const mailed = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
    if (mailed) history.replaceState(history.state, '', location.pathname);
    return mailed;
  });
  return token;
}
