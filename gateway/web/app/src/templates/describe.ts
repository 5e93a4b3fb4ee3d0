import { type DateFields, isCompletion } from './draft';

const units = {
  days: ['day', 'days'],
  business_days: ['business day', 'business days'],
  weeks: ['week', 'weeks'],
  months: ['month', 'months'],
};
const anchors = {
  period_start: 'the period starts',
  period_end: 'the period ends',
  client_year_end: 'the client’s year end',
  job_start: 'the job starts',
  task_completion: 'is done',
  request_completion: 'is answered',
};

type TitleOf = (key: string) => string;

/** A relative date as a sentence: "10 business days after the period ends". */
export function describeDate(date: DateFields, titleOf: TitleOf): string {
  if (!date.set) return '';
  const event = isCompletion(date.anchor)
    ? `“${titleOf(date.of)}” ${anchors[date.anchor]}`
    : anchors[date.anchor];
  if (Number(date.amount) === 0) return `when ${event}`;
  const [one, many] = units[date.unit];
  const plus = date.plus ? ` ${date.plus > 0 ? 'and' : 'less'} ${Math.abs(date.plus)} days` : '';
  return `${date.amount} ${Number(date.amount) === 1 ? one : many}${plus} ${date.direction} ${event}`;
}

/** What a closed step says of itself: when it is due and what it waits for. */
export function describeStep(step: { due: DateFields; after: string[] }, titleOf: TitleOf): string {
  const due = describeDate(step.due, titleOf);
  const waits = step.after.map((key) => `“${titleOf(key)}”`).join(', ');
  return [due && `Due ${due}`, waits && `waits for ${waits}`].filter(Boolean).join(' · ');
}
