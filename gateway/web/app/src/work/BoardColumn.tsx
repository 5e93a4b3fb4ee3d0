import { dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { Board, Stage } from './api';
import css from './Board.module.css';
import type { MoveJob } from './BoardView';
import { JobCard } from './JobCard';
import type { WorkSearch } from './search';

type Props = { column: Board['columns'][number]; stages: Stage[]; onMove: MoveJob; search: WorkSearch };

export function BoardColumn({ column: { stage, count, cards }, stages, onMove, search }: Props) {
  const place = useRef<HTMLElement>(null);
  const [over, setOver] = useState(false);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    return dropTargetForElements({
      element,
      getData: () => ({ stage }),
      canDrop: ({ source }) => 'job' in source.data,
      onDragEnter: () => setOver(true),
      onDragLeave: () => setOver(false),
      onDrop: () => setOver(false),
    });
  }, [stage]);

  return (
    <section ref={place} className={css.column} data-over={over || undefined} aria-label={stage.name}>
      <header className={css.columnHead}>
        <h2>{stage.name}</h2>
        <span className={css.count}>{count}</span>
      </header>
      <div
        className={css.cards}
        tabIndex={cards.length > 4 ? 0 : undefined}
        role="list"
        aria-label={`Jobs in ${stage.name}`}
      >
        {cards.map((job) => (
          <JobCard key={job.id} job={job} stages={stages} onMove={onMove} />
        ))}
        {count > cards.length && (
          <Link to="/work" search={{ ...search, view: 'list', stage: stage.id }} className={css.more}>
            All {count} in a list
          </Link>
        )}
      </div>
    </section>
  );
}
