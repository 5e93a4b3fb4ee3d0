import type { ReactNode } from 'react';
import css from './Card.module.css';

/** A row on a phone: what it is and its state above, the rest below. */
export function TwoLines({
  title,
  state,
  note,
  end,
}: {
  title: ReactNode;
  state?: ReactNode;
  note?: ReactNode;
  end?: ReactNode;
}) {
  return (
    <>
      <div className={css.top}>
        <span>{title}</span>
        {state}
      </div>
      <div className={css.bottom}>
        <span>{note}</span>
        {end}
      </div>
    </>
  );
}
