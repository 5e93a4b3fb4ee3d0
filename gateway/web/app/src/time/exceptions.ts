import type { TimeEntry } from './api';

const LONG = 10 * 3600;

/** What an approver should look at before saying yes. */
export function exceptionOf(
  entry: Pick<TimeEntry, 'seconds' | 'billable' | 'narrative' | 'rate_override'>,
): string | null {
  if (entry.rate_override) return 'A rate of its own';
  if (entry.seconds > LONG) return 'More than ten hours';
  if (entry.billable && !entry.narrative.trim()) return 'Billable without a word about it';
  return null;
}

export const exceptionsFirst = (entries: TimeEntry[]): TimeEntry[] =>
  [...entries].sort(
    (a, b) => Number(Boolean(exceptionOf(b))) - Number(Boolean(exceptionOf(a))) || a.day.localeCompare(b.day),
  );
