import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { components } from '@/api/generated/identity';
import { body } from '@/api/http';
import { refresh } from '@/api/refresh';
import { identity } from '@/api/services';

export type Notice = components['schemas']['Notice'];

/** How many of mine are unread; a hundred stands for more, too. */
export const unreadQuery = () =>
  queryOptions({
    queryKey: ['notices', 'unread'],
    queryFn: () => body(identity.GET('/notices/unread-count')).then(({ count }) => count),
  });

/** Mine, newest first. */
export const noticesQuery = () =>
  infiniteQueryOptions({
    queryKey: ['notices', 'list'],
    queryFn: ({ pageParam }) =>
      body(identity.GET('/notices', { params: { query: { limit: 20, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

function useNoticesAct<Given>(act: (given: Given) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => refresh(queries, 'notices') });
}

export const useRead = () =>
  useNoticesAct((notice_id: string) =>
    body(identity.POST('/notices/{notice_id}/read', { params: { path: { notice_id } } })),
  );

/** All up to the newest one on the screen: what came meanwhile was not seen. */
export const useReadAll = () =>
  useNoticesAct((up_to: string) => body(identity.POST('/notices/read-all', { body: { up_to } })));

/** Where to look: the request or its job, else the client. */
export function placeOf({ subject_type, subject_id, job_id, client_id }: Notice): string | null {
  if (job_id) return `/work/jobs/${job_id}${subject_type === 'request' ? `#request-${subject_id}` : ''}`;
  return client_id ? `/clients/${client_id}` : null;
}

export const countSaid = (count: number): string => (count < 100 ? String(count) : '99+');
