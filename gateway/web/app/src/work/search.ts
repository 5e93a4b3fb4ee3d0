import { jobStatuses } from '@/lib/status';
import type { JobStatus } from './api';

/** What the address of the work page says: the view and its filters. Kept there, so that it can be sent to a colleague. */
export type WorkSearch = {
  view?: 'list';
  owner?: string;
  status?: JobStatus[];
  stage?: string;
  client?: string;
};

type Raw = Record<string, unknown>;

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

export function readWorkSearch(raw: Raw): WorkSearch {
  const named = [raw.status]
    .flat()
    .filter((status): status is JobStatus => (jobStatuses as readonly unknown[]).includes(status));
  const search: WorkSearch = {
    view: raw.view === 'list' ? 'list' : undefined,
    owner: text(raw.owner),
    status: named.length > 0 ? named : undefined,
    stage: text(raw.stage),
    client: text(raw.client),
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
