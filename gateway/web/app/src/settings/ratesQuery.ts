import { infiniteQueryOptions } from '@tanstack/react-query';
import { body } from '@/api/http';
import { timebilling } from '@/api/services';

/** Rates, most specific level first. */
export const ratesQuery = (kind: 'bill' | 'cost') =>
  infiniteQueryOptions({
    queryKey: ['rates', kind],
    queryFn: ({ pageParam }) =>
      body(timebilling.GET('/rates', { params: { query: { kind, limit: 200, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
