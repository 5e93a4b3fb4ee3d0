import {
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import type { components } from '@/api/generated/workflow';
import { body } from '@/api/http';
import { refresh } from '@/api/refresh';
import { workflow } from '@/api/services';

type Schemas = components['schemas'];
export type Job = Schemas['Job'];
export type JobRow = Schemas['JobRow'];
export type JobStatus = Schemas['JobStatus'];
export type Board = Schemas['Board'];
export type Stage = Schemas['Stage'];
export type Task = Schemas['Task'];
export type TaskRow = Schemas['TaskRow'];
export type ClientRequest = Schemas['ClientRequest'];
export type RequestItem = Schemas['RequestItem'];
export type Why = Schemas['Why'];

export type JobFilters = {
  owner?: string;
  client_id?: string;
  status?: JobStatus[];
  service?: string;
  due_from?: string;
  due_to?: string;
};

// ---------------------------------------------------------------- reading

export const boardQuery = (filters: JobFilters) =>
  queryOptions({
    queryKey: ['jobs', 'board', filters],
    queryFn: () => body(workflow.GET('/board', { params: { query: filters } })),
  });

export const jobsQuery = (
  filters: JobFilters & {
    closed?: 'true' | 'false' | 'any';
    stage_id?: string;
    engagement_id?: string;
    template_id?: string;
  },
) =>
  infiniteQueryOptions({
    queryKey: ['jobs', 'list', filters],
    queryFn: ({ pageParam }) =>
      body(workflow.GET('/jobs', { params: { query: { ...filters, limit: 100, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const jobQuery = (job_id: string) =>
  queryOptions({
    queryKey: ['jobs', 'one', job_id],
    queryFn: () => body(workflow.GET('/jobs/{job_id}', { params: { path: { job_id } } })),
  });

export const stagesQuery = () =>
  queryOptions({
    queryKey: ['stages'],
    queryFn: () => body(workflow.GET('/stages')).then(({ items }) => items),
    staleTime: 300_000,
  });

type TaskFilters = { owner?: string; due_to?: string; due_from?: string; job_id?: string; open?: boolean };

export const tasksQuery = (filters: TaskFilters) =>
  queryOptions({
    queryKey: ['tasks', filters],
    queryFn: () => body(workflow.GET('/tasks', { params: { query: { ...filters, limit: 200 } } })),
  });

export const requestsQuery = (filters: {
  owner?: string;
  client_id?: string;
  status?: Schemas['RequestStatus'][];
}) =>
  queryOptions({
    queryKey: ['requests', filters],
    queryFn: () => body(workflow.GET('/requests', { params: { query: { ...filters, limit: 100 } } })),
  });

export const overviewQuery = () =>
  queryOptions({ queryKey: ['overview', 'work'], queryFn: () => body(workflow.GET('/overview')) });

// ---------------------------------------------------------------- changing

/** After a change of work: whatever shows jobs, tasks, requests or sums of them asks again. */
export const workChanged = (queries: QueryClient) =>
  refresh(queries, 'jobs', 'tasks', 'requests', 'overview');

type Patch = (task: Task) => Partial<Task>;

/** Shows a task as it will be in every list and job page at once; returns the way back. */
async function showTask(queries: QueryClient, id: string, patch: Patch): Promise<() => void> {
  await Promise.all([
    queries.cancelQueries({ queryKey: ['tasks'] }),
    queries.cancelQueries({ queryKey: ['jobs', 'one'] }),
  ]);
  const before = [
    ...queries.getQueriesData({ queryKey: ['tasks'] }),
    ...queries.getQueriesData({ queryKey: ['jobs', 'one'] }),
  ];
  const change = <T extends Task>(task: T): T => (task.id === id ? { ...task, ...patch(task) } : task);
  queries.setQueriesData<{ items: TaskRow[]; next_cursor: string | null }>(
    { queryKey: ['tasks'] },
    (page) => page && { ...page, items: page.items.map(change) },
  );
  queries.setQueriesData<Job>(
    { queryKey: ['jobs', 'one'] },
    (job) => job && { ...job, tasks: job.tasks.map(change) },
  );
  return () => {
    for (const [key, data] of before) queries.setQueryData(key, data);
  };
}

/** A change of one task that is seen at once and taken back if it is refused. */
function useTaskChange<Given>(
  ask: (task: Task, given: Given) => Promise<TaskRow>,
  patch: (given: Given) => Patch,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ task, given }: { task: Task; given: Given }) => ask(task, given),
    onMutate: ({ task, given }) => showTask(queries, task.id, patch(given)),
    // The new version counts at once, so that the next click is not refused as a lost update.
    onSuccess: ({ id, version, status }) => showTask(queries, id, () => ({ version, status })),
    onError: (_error, _given, undo) => undo?.(),
    onSettled: () => workChanged(queries),
  });
}

/** A change of what somebody else may have set since: refused if they have. */
const seen = (task: Task) => ({ path: { task_id: task.id }, header: { 'If-Match': `"${task.version}"` } });

/** A step forward or back, or a tick: the service decides by what the task is now, so quick clicks in a row are fine. */
const at = (task: Task) => ({ path: { task_id: task.id } });

export const useFinishTask = () =>
  useTaskChange(
    (task, despite: string | undefined) =>
      body(
        workflow.POST('/tasks/{task_id}/done', {
          params: at(task),
          body: despite ? { despite_block: despite } : {},
        }),
      ),
    () => () => ({ status: 'done', overdue: false }),
  );

export const useReopenTask = () =>
  useTaskChange(
    (task, reason: string) =>
      body(workflow.POST('/tasks/{task_id}/reopen', { params: at(task), body: { reason } })),
    () => () => ({ status: 'in_progress' }),
  );

export const useStartTask = () =>
  useTaskChange(
    (task, despite: string | undefined) =>
      body(
        workflow.POST('/tasks/{task_id}/start', {
          params: at(task),
          body: despite ? { despite_block: despite } : {},
        }),
      ),
    () => () => ({ status: 'in_progress' }),
  );

export const useSkipTask = () =>
  useTaskChange(
    (task, reason: string) =>
      body(workflow.POST('/tasks/{task_id}/skip', { params: at(task), body: { reason } })),
    () => () => ({ status: 'skipped', overdue: false }),
  );

export const useAssignTask = () =>
  useTaskChange(
    (task, owner: { id: string; name: string } | null) =>
      body(
        workflow.POST('/tasks/{task_id}/assign', {
          params: seen(task),
          body: { owner_id: owner?.id ?? null },
        }),
      ),
    (owner) => () => ({ owner }),
  );

export const useMoveTaskDue = () =>
  useTaskChange(
    (task, { due_on, reason }: { due_on: string; reason: string }) =>
      body(workflow.POST('/tasks/{task_id}/due_date', { params: seen(task), body: { due_on, reason } })),
    ({ due_on }) =>
      () => ({ due_on, due_pinned: true }),
  );

export const useTick = () =>
  useTaskChange(
    (task, line: { key: string; done: boolean }) =>
      body(workflow.POST('/tasks/{task_id}/checklist', { params: at(task), body: line })),
    ({ key, done }) =>
      (task) => ({ checklist: task.checklist.map((line) => (line.key === key ? { ...line, done } : line)) }),
  );

type Move = { job: JobRow; stage: Stage; skip_open_tasks?: boolean };

/** Moves a card to another column at once; a refusal puts it back. */
export function useMoveJob() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ job, stage, skip_open_tasks }: Move) =>
      body(
        workflow.POST('/jobs/{job_id}/move', {
          params: { path: { job_id: job.id } },
          body: { stage_id: stage.id, skip_open_tasks },
        }),
      ),
    onMutate: async ({ job, stage }) => {
      await queries.cancelQueries({ queryKey: ['jobs', 'board'] });
      const before = queries.getQueriesData({ queryKey: ['jobs', 'board'] });
      queries.setQueriesData<Board>(
        { queryKey: ['jobs', 'board'] },
        (board) => board && moved(board, job, stage),
      );
      return () => {
        for (const [key, data] of before) queries.setQueryData(key, data);
      };
    },
    onError: (_error, _move, undo) => undo?.(),
    onSettled: () => workChanged(queries),
    meta: { quiet: true },
  });
}

/** The board with a job in another stage, by due date like its neighbours. */
export function moved(board: Board, job: JobRow, stage: Stage): Board {
  const card = { ...job, stage_id: stage.id };
  return {
    ...board,
    columns: board.columns.map((column) => {
      const rest = column.cards.filter(({ id }) => id !== job.id);
      const count = column.count - (column.cards.length - rest.length);
      if (column.stage.id !== stage.id) return { ...column, cards: rest, count };
      return { ...column, count: count + 1, cards: [...rest, card].sort(byDue) };
    }),
  };
}

const byDue = (a: JobRow, b: JobRow) =>
  (a.due_on ?? '9999').localeCompare(b.due_on ?? '9999') || a.id.localeCompare(b.id);
