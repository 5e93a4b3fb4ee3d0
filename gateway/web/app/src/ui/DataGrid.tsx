import { useMediaQuery } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import css from './DataGrid.module.css';

export type Column<Row> = {
  key: string;
  header: string;
  /** A grid track: "minmax(200px, 2fr)", "96px". */
  width: string;
  align?: 'right';
  cell: (row: Row) => ReactNode;
};

type Props<Row> = {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  href: (row: Row) => string;
  /** On a phone a row is drawn by this instead of by its columns. */
  card: (row: Row) => ReactNode;
  /** Asked for when the last rows come into sight. */
  onEnd?: () => void;
  total?: number;
};

const ROW = 40;
const CARD = 72;
const PADDING = 64;

/**
 * A list of any length: only the rows in sight are in the page. Sticky header and first column; arrows move,
 * Enter opens, Home and End jump.
 */
export function DataGrid<Row>({ label, columns, rows, rowKey, href, card, onEnd, total }: Props<Row>) {
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useMediaQuery('(max-width: 48em)') ?? false;
  const navigate = useNavigate();
  const [focused, setFocused] = useState(0);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? CARD : ROW),
    overscan: 12,
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;

  useEffect(() => {
    if (onEnd && rows.length > 0 && last >= rows.length - 20) onEnd();
  }, [last, rows.length, onEnd]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: rows measure differently on a phone
  useEffect(() => virtual.measure(), [narrow]);

  const moveTo = (index: number) => {
    const target = Math.max(0, Math.min(rows.length - 1, index));
    setFocused(target);
    virtual.scrollToIndex(target);
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${target}"]`)?.focus(),
    );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = {
      ArrowDown: focused + 1,
      j: focused + 1,
      ArrowUp: focused - 1,
      k: focused - 1,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    if (to === undefined || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    moveTo(to);
  };
  const open = (row: Row) => navigate({ href: href(row) });

  const template = columns.map((column) => column.width).join(' ');
  const minWidth = narrow
    ? undefined
    : columns.reduce((sum, { width }) => sum + Number(/\d+/.exec(width)?.[0] ?? 0), PADDING);
  return (
    <div
      ref={scroller}
      className={css.grid}
      role="table"
      aria-label={label}
      aria-rowcount={total ?? rows.length}
      onKeyDown={onKeyDown}
    >
      {!narrow && (
        <div className={css.head} role="row" style={{ gridTemplateColumns: template, minWidth }}>
          {columns.map((column) => (
            <div key={column.key} role="columnheader" className={css.cell} data-align={column.align}>
              {column.header}
            </div>
          ))}
        </div>
      )}
      <div className={css.body} role="rowgroup" style={{ height: virtual.getTotalSize(), minWidth }}>
        {shown.map(({ index, start, size }) => {
          const row = rows[index];
          return (
            <div
              key={rowKey(row)}
              role="row"
              aria-rowindex={index + 1}
              data-index={index}
              tabIndex={index === focused ? 0 : -1}
              className={css.row}
              style={{
                gridTemplateColumns: narrow ? '1fr' : template,
                height: size,
                transform: `translateY(${start}px)`,
              }}
              onFocus={() => setFocused(index)}
              onClick={(event) => !(event.target as HTMLElement).closest('a, button, input') && open(row)}
              onKeyDown={(event) =>
                event.key === 'Enter' && event.target === event.currentTarget && open(row)
              }
            >
              {narrow ? (
                <div role="cell" className={css.card}>
                  {card(row)}
                </div>
              ) : (
                columns.map((column) => (
                  <div key={column.key} role="cell" className={css.cell} data-align={column.align}>
                    {column.cell(row)}
                  </div>
                ))
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
