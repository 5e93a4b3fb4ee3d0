import { expect, test } from 'vitest';
import type { TimeEntry } from './api';
import { exceptionOf, exceptionsFirst } from './exceptions';

const entry = (part: Partial<TimeEntry>) =>
  ({
    id: '1',
    day: '2026-11-24',
    seconds: 3600,
    billable: true,
    narrative: 'Work',
    rate_override: null,
    ...part,
  }) as TimeEntry;

test('approvers see what is unusual, and first', () => {
  expect(exceptionOf(entry({}))).toBeNull();
  expect(exceptionOf(entry({ seconds: 11 * 3600 }))).toBe('More than ten hours');
  expect(exceptionOf(entry({ narrative: ' ' }))).toBe('Billable without a word about it');
  expect(exceptionOf(entry({ narrative: '', billable: false }))).toBeNull();
  const order = exceptionsFirst([
    entry({ id: 'plain', day: '2026-11-01' }),
    entry({ id: 'odd', narrative: '' }),
  ]);
  expect(order.map(({ id }) => id)).toEqual(['odd', 'plain']);
});
