import { expect, test } from 'vitest';
import { type Board, type JobRow, moved, type Stage } from './api';
import { readWorkSearch } from './search';

const stage = (id: string): Stage => ({ id, name: id, kind: 'active', position: 1, version: 1 });
const job = (id: string, stage_id: string, due_on: string | null) => ({ id, stage_id, due_on }) as JobRow;

const board: Board = {
  today: '2026-11-24',
  columns: [
    {
      stage: stage('planned'),
      count: 2,
      cards: [job('a', 'planned', '2026-11-30'), job('b', 'planned', null)],
      next_cursor: null,
    },
    { stage: stage('review'), count: 7, cards: [job('c', 'review', '2026-12-01')], next_cursor: 'more' },
  ],
};

test('a moved card leaves its column, joins the other by due date, and the counts follow', () => {
  const [planned, review] = moved(board, board.columns[0].cards[0], stage('review')).columns;
  expect(planned.cards.map(({ id }) => id)).toEqual(['b']);
  expect(planned.count).toBe(1);
  expect(review.cards.map(({ id, stage_id }) => [id, stage_id])).toEqual([
    ['a', 'review'],
    ['c', 'review'],
  ]);
  expect(review.count).toBe(8);
});

test('a job without a date stands last', () => {
  const [, review] = moved(board, board.columns[0].cards[1], stage('review')).columns;
  expect(review.cards.map(({ id }) => id)).toEqual(['c', 'b']);
});

test('an address keeps known filters and drops what it does not know', () => {
  expect(readWorkSearch({ view: 'list', status: ['overdue', 'nonsense'], owner: 'me', x: 1 })).toEqual({
    view: 'list',
    status: ['overdue'],
    owner: 'me',
  });
  expect(readWorkSearch({ view: 'grid', status: 'soon' })).toEqual({});
});
