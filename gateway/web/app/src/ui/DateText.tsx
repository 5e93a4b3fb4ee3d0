import { fullDate, relativeDate, shortDate, today } from '@/lib/dates';
import css from './DateText.module.css';

type Props = { date?: string | null; relative?: boolean; late?: boolean };

/** "Fri 4 Dec · in 10 days", the full date on hover. `late` draws attention when the day has passed. */
export function DateText({ date, relative = false, late = false }: Props) {
  if (!date) return <span className="quiet">–</span>;
  const overdue = late && date < today();
  return (
    <time dateTime={date} title={fullDate(date)} className={css.date} data-overdue={overdue || undefined}>
      {shortDate(date)}
      {relative && <span className={css.relative}> · {relativeDate(date)}</span>}
    </time>
  );
}
