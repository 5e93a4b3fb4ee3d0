import type { DateRule, TemplateContent } from './api';
import { fromItem, type ItemFields, newItem, toItem } from './ItemsEditor';

// The editor's own shape of a template: steps that carry what they wait for, and dates split into what people choose.
// Pure, so that nothing can be lost on the way from the service to the form and back.

export type DateFields = {
  set: boolean;
  amount: number;
  direction: 'after' | 'before';
  unit: NonNullable<DateRule['unit']>;
  anchor: DateRule['anchor'];
  of: string;
  /** Calendar days after that: "one month and seven days". */
  plus: number;
  roll: NonNullable<DateRule['roll']>;
};

export type TaskFields = {
  id: string;
  key: string;
  title: string;
  description: string;
  role: string;
  due: DateFields;
  hours: number | string;
  checklist: string[];
  after: string[];
};

export type RequestFields = {
  id: string;
  key: string;
  title: string;
  message: string;
  due: DateFields;
  send: 'automatically' | 'by_hand';
  items: ItemFields[];
  after: string[];
  reminders?: { first_after_days?: number; every_days?: number; at_most?: number };
};

export type Draft = {
  title: string;
  owner_role: string;
  statutory: DateFields;
  internal: DateFields;
  roles: { id: string; role: string; staff_id: string | null }[];
  tasks: TaskFields[];
  requests: RequestFields[];
  /** Waiting days of dependencies, by "before>after". */
  lags: Record<string, number>;
};

export const TITLE = '{template}, {period}';

export const noDate = (): DateFields => ({
  set: false,
  amount: 0,
  direction: 'after',
  unit: 'days',
  anchor: 'period_end',
  of: '',
  plus: 0,
  roll: 'none',
});

export function fromRule(rule?: DateRule): DateFields {
  if (!rule) return noDate();
  const amount = rule.amount ?? 0;
  return {
    set: true,
    amount: Math.abs(amount),
    direction: amount < 0 ? 'before' : 'after',
    unit: rule.unit ?? 'days',
    anchor: rule.anchor,
    of: rule.of ?? '',
    plus: rule.plus_days ?? 0,
    roll: rule.roll ?? 'none',
  };
}

export function toRule(date: DateFields): DateRule | undefined {
  if (!date.set) return undefined;
  const { anchor, unit, roll, of, plus } = date;
  const amount = date.direction === 'before' ? -Number(date.amount || 0) : Number(date.amount || 0);
  return {
    anchor,
    unit,
    roll,
    amount: amount === 0 ? 0 : amount,
    ...(isCompletion(anchor) ? { of } : {}),
    ...(plus ? { plus_days: plus } : {}),
  };
}

/** Days beside the amount: offered where they are no part of it ("one month and seven days"), shown wherever there are any. */
export const addsDays = ({ unit, plus }: DateFields) =>
  plus !== 0 || unit === 'months' || unit === 'business_days';

export const isCompletion = (anchor: DateRule['anchor']) =>
  anchor === 'task_completion' || anchor === 'request_completion';

/** A key for a new step that no other has: "prepare-the-return", "prepare-the-return-2". */
export function keyFor(title: string, taken: string[]): string {
  const base =
    title
      .toLowerCase()
      .normalize('NFKD')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 34) || 'step';
  let key = base;
  for (let number = 2; taken.includes(key); number += 1) key = `${base}-${number}`;
  return key;
}

export const roleName = (typed: string): string =>
  typed
    .toLowerCase()
    .trim()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 40);

export const newTask = (key: string): TaskFields => ({
  id: crypto.randomUUID(),
  key,
  title: '',
  description: '',
  role: '',
  due: noDate(),
  hours: '',
  checklist: [],
  after: [],
});

export const newRequest = (key: string): RequestFields => ({
  id: crypto.randomUUID(),
  key,
  title: '',
  message: '',
  due: noDate(),
  send: 'automatically',
  items: [newItem()],
  after: [],
});

export function toDraft(content: TemplateContent): Draft {
  const dependencies = content.dependencies ?? [];
  const waitsFor = (key: string) =>
    dependencies.filter(({ after }) => after === key).map(({ before }) => before);
  return {
    title: content.title ?? TITLE,
    owner_role: content.owner_role ?? '',
    statutory: fromRule(content.statutory_due),
    internal: fromRule(content.internal_due),
    roles: (content.roles ?? []).map(({ role, staff_id }) => ({
      id: crypto.randomUUID(),
      role,
      staff_id: staff_id ?? null,
    })),
    tasks: (content.tasks ?? []).map((task) => ({
      id: crypto.randomUUID(),
      key: task.key,
      title: task.title,
      description: task.description ?? '',
      role: task.role ?? '',
      due: fromRule(task.due),
      hours: task.budget_minutes ? task.budget_minutes / 60 : '',
      checklist: task.checklist ?? [],
      after: waitsFor(task.key),
    })),
    requests: (content.requests ?? []).map((request) => ({
      id: crypto.randomUUID(),
      key: request.key,
      title: request.title,
      message: request.message ?? '',
      due: fromRule(request.due),
      send: request.send ?? 'automatically',
      items: request.items.map(fromItem),
      after: waitsFor(request.key),
      reminders: request.reminders,
    })),
    lags: Object.fromEntries(
      dependencies
        .filter(({ lag_days }) => lag_days)
        .map(({ before, after, lag_days }) => [`${before}>${after}`, lag_days as number]),
    ),
  };
}

/** The content as the service keeps it. What waits for a step that is gone waits no more. */
export function toContent(draft: Draft): TemplateContent {
  const steps = [...draft.tasks, ...draft.requests];
  const keys = new Set(steps.map(({ key }) => key));
  const statutory = toRule(draft.statutory);
  const internal = toRule(draft.internal);
  return {
    title: draft.title.trim() || TITLE,
    owner_role: draft.owner_role,
    ...(statutory ? { statutory_due: statutory } : {}),
    ...(internal ? { internal_due: internal } : {}),
    roles: draft.roles.filter(({ role }) => role).map(({ role, staff_id }) => ({ role, staff_id })),
    tasks: draft.tasks.map((task) => ({
      key: task.key,
      title: task.title.trim(),
      description: task.description,
      role: task.role,
      budget_minutes: Math.round(Number(task.hours || 0) * 60),
      checklist: task.checklist,
      ...ruled(task.due),
    })),
    requests: draft.requests.map(({ key, title, message, due, send, items, reminders }) => ({
      key,
      title: title.trim(),
      message,
      send,
      items: items.map(toItem),
      ...(reminders ? { reminders } : {}),
      ...ruled(due),
    })),
    dependencies: steps.flatMap(({ key, after }) =>
      after
        .filter((before) => keys.has(before) && before !== key)
        .map((before) => ({ before, after: key, lag_days: draft.lags[`${before}>${key}`] ?? 0 })),
    ),
  };
}

const ruled = (date: DateFields) => {
  const due = toRule(date);
  return due ? { due } : {};
};
