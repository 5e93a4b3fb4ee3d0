import { MutationCache, QueryClient } from '@tanstack/react-query';
import { failed } from '@/ui/toasts';
import { isProblem } from './problem';

/** Refusals are final; a part that does not answer is asked again twice. */
const worthRetrying = (count: number, error: unknown) =>
  count < 2 && (!isProblem(error) || error.status === 0 || error.status >= 502);

declare module '@tanstack/react-query' {
  interface Register {
    // `quiet`: the form shows the error itself.
    mutationMeta: { quiet?: boolean };
  }
}

export const queries = new QueryClient({
  defaultOptions: { queries: { staleTime: 30_000, retry: worthRetrying, refetchOnWindowFocus: true } },
  mutationCache: new MutationCache({
    onError: (error, _variables, _context, mutation) => {
      if (!mutation.meta?.quiet) failed(error);
    },
  }),
});
