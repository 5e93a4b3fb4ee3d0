import type { ReactNode } from 'react';
import { useEffect } from 'react';
import css from './Page.module.css';

type Props = {
  title: string;
  /** Above the title: where this page belongs ("Clients / Smith Ltd"). */
  trail?: ReactNode;
  /** Beside the title: a status, say. */
  beside?: ReactNode;
  /** Below the title: one line of facts. */
  facts?: ReactNode;
  actions?: ReactNode;
  /** Below the header, above the content: filters and tabs. */
  bar?: ReactNode;
  /** The content fills the height and scrolls by itself (boards, grids). */
  fill?: boolean;
  children: ReactNode;
};

/** The one layout of every page: a calm header, an optional bar, the content. */
export function Page({ title, trail, beside, facts, actions, bar, fill = false, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Praxis`;
  }, [title]);
  return (
    <div className={css.page} data-fill={fill || undefined}>
      <header className={css.header}>
        <div className={css.heading}>
          {trail && <div className={css.trail}>{trail}</div>}
          <div className={css.title}>
            <h1>{title}</h1>
            {beside}
          </div>
          {facts && <div className={css.facts}>{facts}</div>}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </header>
      {bar && <div className={css.bar}>{bar}</div>}
      <div className={css.content}>{children}</div>
    </div>
  );
}

/** A titled part of a page. */
export function Section({
  title,
  count,
  actions,
  children,
}: {
  title: string;
  count?: number;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={css.section}>
      <div className={css.sectionHead}>
        <h2>
          {title}
          {count !== undefined && <span className={css.count}>{count}</span>}
        </h2>
        {actions && <div className={css.sectionActions}>{actions}</div>}
      </div>
      {children}
    </section>
  );
}
