import type { QueryClient } from '@tanstack/react-query';
import { renew } from './session';

/** A hint that something changed: `{"type": "workflow.job", "id": "…", "version": 7}`. It carries nothing else. */
export type Hint = { type: string; id: string; version?: number };

// Which queries a hint makes stale. A query's key begins with the plural noun of its owner.
const stale: Record<string, string[]> = {
  firm: ['firm'],
  staff: ['staff'],
  client: ['clients'],
  contact: ['contacts', 'clients'],
  engagement: ['engagements', 'clients'],
  job: ['jobs', 'overview'],
  task: ['tasks', 'jobs', 'overview'],
  request: ['requests', 'jobs', 'tasks'],
  template: ['templates'],
  stage: ['stages', 'jobs'],
  time_entry: ['time', 'wip'],
  invoice: ['invoices', 'wip'],
  payment: ['invoices', 'payments'],
  document: ['documents'],
  branding: ['branding'],
  notice: ['notices'],
};

/** "praxis.workflow.job.changed.v1" and "workflow.job" both speak of a job. */
export function nounOf(type: string): string {
  return type.split('.').find((part) => part in stale) ?? '';
}

export function invalidate(queries: QueryClient, hint: Hint): void {
  for (const key of stale[nounOf(hint.type)] ?? []) queries.invalidateQueries({ queryKey: [key] });
}

export type LiveState = 'connecting' | 'live' | 'offline';

/** Keeps an event stream open, mending it with patience, and turns hints into refetches. Returns the way to end it. */
export function listen(queries: QueryClient, onState: (state: LiveState) => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let ended = false;
  let missed = false;

  const refetchAll = () => queries.invalidateQueries();

  const open = () => {
    if (ended) return;
    onState(failures === 0 ? 'connecting' : 'offline');
    source = new EventSource('/api/identity/v1/live');
    source.onopen = () => {
      failures = 0;
      onState('live');
      if (missed) refetchAll();
      missed = false;
    };
    const take = (event: MessageEvent<string>) => {
      const hint = parse(event.data);
      if (hint) invalidate(queries, hint);
    };
    source.onmessage = take;
    source.addEventListener('hint', take as EventListener);
    source.addEventListener('refetch', refetchAll);
    source.onerror = () => {
      // The browser mends a broken stream itself; a refused one (an expired session, a part restarting) stays closed.
      missed = true;
      onState('offline');
      if (source?.readyState !== EventSource.CLOSED) return;
      failures += 1;
      timer = setTimeout(() => renew().then(open), Math.min(30_000, 500 * 2 ** failures));
    };
  };

  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    source?.close();
  };
}

function parse(data: string): Hint | null {
  try {
    const hint = JSON.parse(data);
    return typeof hint?.type === 'string' ? hint : null;
  } catch {
    return null;
  }
}
