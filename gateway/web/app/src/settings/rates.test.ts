import { expect, test } from 'vitest';
import { keysOf } from './Rates';

const all = { client_id: 'c', staff_id: 's', activity_id: 'a', grade: 'senior' as const };

test.each([
  ['firm', {}],
  ['grade', { grade: 'senior' }],
  ['staff', { staff_id: 's' }],
  ['activity', { activity_id: 'a' }],
  ['client_grade', { client_id: 'c', grade: 'senior' }],
  ['client_staff', { client_id: 'c', staff_id: 's' }],
] as const)('a rate of level %s names exactly its keys', (level, keys) =>
  expect(keysOf({ level, ...all })).toEqual(keys),
);
