import type { ReactNode } from 'react';
import { useEffect } from 'react';
import { Mark } from '@/ui/Mark';
import css from './Door.module.css';

/** The plain page in front of the app: sign in, set up. */
export function Door({
  title,
  intro,
  wide = false,
  children,
}: {
  title: string;
  intro?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Praxis`;
  }, [title]);
  return (
    <main className={css.door}>
      <div className={css.panel} data-wide={wide || undefined}>
        <div className={css.brand}>
          <Mark size={28} />
          <span>Praxis</span>
        </div>
        <h1>{title}</h1>
        {intro && <p className={css.intro}>{intro}</p>}
        {children}
      </div>
    </main>
  );
}
