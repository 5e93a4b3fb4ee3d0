// Dates are calendar dates of the firm ("2026-12-04"); instants are ISO 8601 in UTC. Nothing here mixes the two.

const DAY = 86_400_000;

export type IsoDate = string;

export const toIso = (date: Date): IsoDate =>
  `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;

export const today = (): IsoDate => toIso(new Date());

const noon = (date: IsoDate): Date => new Date(`${date}T12:00:00`);

export const addDays = (date: IsoDate, days: number): IsoDate => {
  const moved = noon(date);
  moved.setDate(moved.getDate() + days);
  return toIso(moved);
};

export const daysBetween = (from: IsoDate, to: IsoDate): number =>
  Math.round((Date.parse(`${to}T12:00:00Z`) - Date.parse(`${from}T12:00:00Z`)) / DAY);

/** Monday of the week (or the firm's own first day: 1 Monday … 7 Sunday). */
export const startOfWeek = (date: IsoDate, weekStart = 1): IsoDate => {
  const weekday = noon(date).getDay() || 7;
  return addDays(date, -((weekday - weekStart + 7) % 7));
};

export const weekOf = (date: IsoDate, weekStart = 1): IsoDate[] => {
  const first = startOfWeek(date, weekStart);
  return Array.from({ length: 7 }, (_, index) => addDays(first, index));
};

const year = (date: IsoDate) => date.slice(0, 4);

/** "Fri 4 Dec", with the year only when it is another one. */
export function shortDate(date: IsoDate, now: IsoDate = today()): string {
  const text = noon(date).toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
  return (year(date) === year(now) ? text : `${text} ${year(date)}`).replace(',', '');
}

/** "Friday, 4 December 2026" */
export const fullDate = (date: IsoDate): string =>
  noon(date).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

/** "today", "in 10 days", "3 days ago" */
export function relativeDate(date: IsoDate, now: IsoDate = today()): string {
  const days = daysBetween(now, date);
  if (days === 0) return 'today';
  if (days === 1) return 'tomorrow';
  if (days === -1) return 'yesterday';
  const [count, unit] =
    Math.abs(days) < 60 ? [Math.abs(days), 'day'] : [Math.round(Math.abs(days) / 30.4), 'month'];
  const amount = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return days > 0 ? `in ${amount}` : `${amount} ago`;
}

/** "Q3 2026", "Nov 2026", "2026", or the two dates. */
export function periodName(start?: IsoDate | null, end?: IsoDate | null): string {
  if (!start || !end) return '';
  const [fromYear, fromMonth, fromDay] = start.split('-').map(Number);
  const [toYear, toMonth] = end.split('-').map(Number);
  const wholeMonths = fromDay === 1 && addDays(end, 1).endsWith('-01') && fromYear === toYear;
  const months = toMonth - fromMonth + 1;
  if (wholeMonths && months === 12) return String(fromYear);
  if (wholeMonths && months === 3 && fromMonth % 3 === 1) return `Q${(fromMonth + 2) / 3} ${fromYear}`;
  if (wholeMonths && months === 1) {
    return noon(start).toLocaleDateString('en-GB', { month: 'short', year: 'numeric' });
  }
  if (wholeMonths) return `${monthName(start)}–${monthName(end)} ${fromYear}`;
  return `${shortDate(start)} – ${shortDate(end)}`;
}

const monthName = (date: IsoDate) => noon(date).toLocaleDateString('en-GB', { month: 'short' });

/** "31 March" from "03-31". */
export const dayOfYear = (monthDay: string): string =>
  noon(`2024-${monthDay}`).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });

/** An instant as "Fri 4 Dec, 14:05" in the reader's zone. */
export const shortInstant = (instant: string): string => {
  const at = new Date(instant);
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return `${shortDate(toIso(at))}, ${time}`;
};
