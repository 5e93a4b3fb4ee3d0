import { Button, Skeleton } from '@mantine/core';
import { IconAlertTriangle, type TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { explain } from '@/api/problem';
import css from './states.module.css';

/** Nothing here yet: says what to do first. */
export function Empty({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon: TablerIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={css.state}>
      <Icon size={20} stroke={1.75} aria-hidden className={css.icon} />
      <div className={css.text}>
        <strong>{title}</strong>
        {children && <p>{children}</p>}
      </div>
      {action && <div className={css.action}>{action}</div>}
    </div>
  );
}

/** What happened and what to do. */
export function Failed({ error, retry, what }: { error: unknown; retry?: () => void; what: string }) {
  return (
    <div className={css.state} role="alert" data-failed>
      <IconAlertTriangle size={20} stroke={1.75} aria-hidden className={css.icon} />
      <div className={css.text}>
        <strong>{what} could not be loaded</strong>
        <p>{explain(error)}</p>
      </div>
      {retry && (
        <div className={css.action}>
          <Button variant="default" onClick={retry}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}

/** Rows as tall as those to come, so that nothing jumps. */
export function Rows({ count = 6, height = 40 }: { count?: number; height?: number }) {
  return (
    <div aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className={css.row} style={{ height }}>
          <Skeleton height={12} width={`${30 + ((index * 37) % 40)}%`} radius="sm" />
        </div>
      ))}
    </div>
  );
}

type Query<T> = { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown };

/** Skeleton, error or content of one query. */
export function Loaded<T>({
  query,
  what,
  skeleton,
  children,
}: {
  query: Query<T>;
  what: string;
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failed error={query.error} retry={() => query.refetch()} what={what} />;
  return skeleton ?? <Rows />;
}
