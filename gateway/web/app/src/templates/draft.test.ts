import { describe, expect, test } from 'vitest';
import type { TemplateContent } from './api';
import { describeStep } from './describe';
import { fromRule, keyFor, roleName, toContent, toDraft, toRule } from './draft';

const content: TemplateContent = {
  title: '{template}, {period}',
  owner_role: 'preparer',
  statutory_due: { anchor: 'period_end', amount: 1, unit: 'months', plus_days: 7, roll: 'none' },
  roles: [{ role: 'preparer', staff_id: null }],
  tasks: [
    {
      key: 'books',
      title: 'Complete the bookkeeping',
      description: '',
      role: 'preparer',
      due: { anchor: 'period_end', amount: 10, unit: 'business_days', roll: 'next' },
      budget_minutes: 180,
      checklist: ['Bank reconciled'],
    },
    {
      key: 'return',
      title: 'Prepare the return',
      description: '',
      role: '',
      due: { anchor: 'task_completion', of: 'books', amount: -2, unit: 'days', roll: 'none' },
      budget_minutes: 0,
      checklist: [],
    },
  ],
  requests: [
    {
      key: 'statements',
      title: 'Bank statements',
      message: 'Please send them.',
      send: 'automatically',
      reminders: { first_after_days: 2, every_days: 3, at_most: 4 },
      items: [{ kind: 'file', label: 'Statements', help: 'PDF', required: true, choices: [] }],
    },
  ],
  dependencies: [
    { before: 'statements', after: 'books', lag_days: 0 },
    { before: 'books', after: 'return', lag_days: 3 },
  ],
};

describe('a template in the editor', () => {
  test('comes back as it went in: nothing is lost by opening and saving it', () => {
    const back = toContent(toDraft(content));
    expect({ ...back, dependencies: sorted(back) }).toEqual({ ...content, dependencies: sorted(content) });
  });

  test('a removed step is waited for by nobody', () => {
    const draft = toDraft(content);
    draft.tasks = draft.tasks.filter(({ key }) => key !== 'books');
    expect(toContent(draft).dependencies).toEqual([]);
  });

  test('dates before an event are negative amounts', () => {
    expect(fromRule({ anchor: 'period_end', amount: -5 })).toMatchObject({ amount: 5, direction: 'before' });
    expect(toRule(fromRule({ anchor: 'period_end', amount: -5 }))).toMatchObject({ amount: -5 });
    expect(toRule(fromRule())).toBeUndefined();
  });

  test('a new step gets a key that no other has', () => {
    expect(keyFor('Prepare the return', [])).toBe('prepare-the-return');
    expect(keyFor('Prepare the return', ['prepare-the-return'])).toBe('prepare-the-return-2');
    expect(keyFor('税', [])).toBe('step');
  });

  test('a role’s name is what the service takes', () => {
    expect(roleName(' Second reviewer! ')).toBe('second_reviewer');
  });

  test('a closed step says when it is due and what it waits for', () => {
    const [, step] = toDraft(content).tasks;
    expect(describeStep(step, (key) => ({ books: 'Books' })[key] ?? key)).toBe(
      'Due 2 days before “Books” is done · waits for “Books”',
    );
  });
});

const sorted = ({ dependencies = [] }: TemplateContent) =>
  [...dependencies].sort((a, b) => a.after.localeCompare(b.after));
