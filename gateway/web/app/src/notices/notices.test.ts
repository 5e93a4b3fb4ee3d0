import { expect, test } from 'vitest';
import { countSaid, type Notice, placeOf } from './api';

const notice: Notice = {
  id: 'n',
  reason: 'mentioned',
  says: 'Look.',
  subject_type: 'note',
  subject_id: 's',
  job_id: null,
  client_id: null,
  at: '2026-11-24T14:05:00Z',
  read_at: null,
};

test('a notice leads to its request, else its job, else its client', () => {
  const ofJob = { ...notice, job_id: 'j', client_id: 'c' };
  expect(placeOf({ ...ofJob, subject_type: 'request' })).toBe('/work/jobs/j#request-s');
  expect(placeOf({ ...ofJob, subject_type: 'task' })).toBe('/work/jobs/j');
  expect(placeOf({ ...notice, client_id: 'c' })).toBe('/clients/c');
  expect(placeOf(notice)).toBeNull();
});

test('a hundred unread stand for more', () => {
  expect([1, 99, 100].map(countSaid)).toEqual(['1', '99', '99+']);
});
