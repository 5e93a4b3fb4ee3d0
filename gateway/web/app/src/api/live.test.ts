import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import { invalidate, nounOf } from './live';

test.each([
  ['praxis.workflow.job.changed.v1', 'job'],
  ['praxis.timebilling.time_entry.changed.v1', 'time_entry'],
  ['praxis.documents.document.changed.v1', 'document'],
  ['praxis.portal.contact.invited.v1', 'contact'],
  ['praxis.identity.notice.changed.v1', 'notice'],
  ['praxis.elsewhere.thing.changed.v1', ''],
])('%s speaks of %s', (type, noun) => expect(nounOf(type)).toBe(noun));

test('a hint makes stale what shows its noun, and nothing else', () => {
  const queries = new QueryClient();
  const keys = [
    ['jobs', 'board', {}],
    ['overview', 'work'],
    ['clients', 'list', {}],
  ];
  for (const key of keys) queries.setQueryData(key, 'seen');
  invalidate(queries, { type: 'praxis.workflow.job.changed.v1', id: '1' });
  expect(keys.map((key) => queries.getQueryState(key)?.isInvalidated)).toEqual([true, true, false]);
});
