import type { QueryClient } from '@tanstack/react-query';

/**
 * What is shown of these nouns is asked for again. Nobody waits for it: a dialog closes and a notice appears as
 * soon as the change itself is made.
 */
export function refresh(queries: QueryClient, ...nouns: string[]): void {
  for (const noun of nouns) void queries.invalidateQueries({ queryKey: [noun] });
}
