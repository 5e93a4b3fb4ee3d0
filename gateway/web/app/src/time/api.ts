import {
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import type { components } from '@/api/generated/timebilling';
import { answerOf, body } from '@/api/http';
import { Problem } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { timebilling, workflow } from '@/api/services';
import { today } from '@/lib/dates';

type Schemas = components['schemas'];
export type TimeEntry = Schemas['TimeEntry'];
export type NewTimeEntry = Schemas['NewTimeEntry'];
type Filters = {
  staff_id?: string;
  job_id?: string;
  client_id?: string;
  status?: Schemas['TimeEntryStatus'];
  day_from?: string;
  day_to?: string;
};

export const dayQuery = (day: string = today()) =>
  queryOptions({
    queryKey: ['time', 'day', day],
    queryFn: () => body(timebilling.GET('/my-day', { params: { query: { day } } })),
  });

export const entriesQuery = (filters: Filters) =>
  infiniteQueryOptions({
    queryKey: ['time', 'entries', filters],
    queryFn: ({ pageParam }) =>
      body(
        timebilling.GET('/time-entries', {
          params: { query: { ...filters, limit: 200, cursor: pageParam } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const whyEntryQuery = (time_entry_id: string) =>
  queryOptions({
    queryKey: ['time', 'why', time_entry_id],
    queryFn: () =>
      body(timebilling.GET('/time-entries/{time_entry_id}/why', { params: { path: { time_entry_id } } })),
  });

export const activitiesQuery = () =>
  queryOptions({
    queryKey: ['activities'],
    queryFn: () =>
      body(timebilling.GET('/activities', { params: { query: { active: true, limit: 200 } } })).then(
        ({ items }) => items,
      ),
    staleTime: 300_000,
  });

export type JobChoice = { id: string; title: string; client: string };

/** Jobs to log time on: those found by words, or, before anything is typed, my own. */
export const jobChoicesQuery = (words: string) =>
  queryOptions({
    queryKey: ['jobs', 'choices', words],
    queryFn: async (): Promise<JobChoice[]> => {
      const rows =
        words.length >= 2
          ? (await body(workflow.GET('/search', { params: { query: { q: words, limit: 20 } } }))).items
          : (
              await body(workflow.GET('/tasks', { params: { query: { owner: 'me', limit: 100 } } }))
            ).items.map(({ job, client }) => ({ ...job, client }));
      const choices = rows.map(({ id, title, client }) => ({ id, title, client: client.name }));
      return [...new Map(choices.map((choice) => [choice.id, choice])).values()];
    },
    placeholderData: (before: JobChoice[] | undefined) => before,
  });

export const timeChanged = (queries: QueryClient) => refresh(queries, 'time', 'wip', 'jobs');

function useTimeAct<Given, Answer>(act: (given: Given) => Promise<Answer>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => timeChanged(queries), meta: { quiet } });
}

export const useAddTime = () =>
  useTimeAct((entry: NewTimeEntry) => body(timebilling.POST('/time-entries', { body: entry })), true);

const named = ({ id, version }: TimeEntry) => ({
  path: { time_entry_id: id },
  header: { 'If-Match': `"${version}"` },
});

export const useChangeTime = () =>
  useTimeAct(
    ({ entry, change }: { entry: TimeEntry; change: Schemas['TimeEntryChange'] }) =>
      body(timebilling.PATCH('/time-entries/{time_entry_id}', { params: named(entry), body: change })),
    true,
  );

export const useDeleteTime = () =>
  useTimeAct((entry: TimeEntry) =>
    answerOf(timebilling.DELETE('/time-entries/{time_entry_id}', { params: named(entry) })),
  );

/** A bulk act answers per entry; those refused are told together. */
const allOf = async (asked: Promise<Schemas['BulkAnswer']>): Promise<Schemas['BulkAnswer']> => {
  const answer = await asked;
  const refused = answer.items.filter(({ ok }) => !ok);
  if (refused.length > 0) {
    const reasons = [...new Set(refused.map(({ message }) => message))].join(' ');
    throw new Problem(422, {
      code: refused[0].code ?? undefined,
      title: `${answer.done} done, ${answer.failed} not: ${reasons}`,
    });
  }
  return answer;
};

export const useSubmitTime = () =>
  useTimeAct((ids: string[]) => allOf(body(timebilling.POST('/time-entries/submit', { body: { ids } }))));

export const useApproveTime = () =>
  useTimeAct((ids: string[]) => allOf(body(timebilling.POST('/time-entries/approve', { body: { ids } }))));

export const useReturnTime = () =>
  useTimeAct(({ ids, reason }: { ids: string[]; reason: string }) =>
    allOf(body(timebilling.POST('/time-entries/return', { body: { ids, reason } }))),
  );
