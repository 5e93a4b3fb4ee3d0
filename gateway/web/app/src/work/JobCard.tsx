import { draggable } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { ActionIcon, Menu } from '@mantine/core';
import { IconArrowsHorizontal } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useMay } from '@/session/me';
import { DateText } from '@/ui/DateText';
import { Person } from '@/ui/Person';
import { Status } from '@/ui/Status';
import type { JobRow, Stage } from './api';
import css from './Board.module.css';
import type { MoveJob } from './BoardView';

/** A job on the board. It is dragged, or moved by its menu, which keyboards and screen readers use. */
export function JobCard({ job, stages, onMove }: { job: JobRow; stages: Stage[]; onMove: MoveJob }) {
  const card = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState(false);
  const may = useMay()('workflow:jobs:act');

  useEffect(() => {
    const element = card.current;
    if (!element || !may) return;
    return draggable({
      element,
      getInitialData: () => ({ job }),
      onDragStart: () => setDragged(true),
      onDrop: () => setDragged(false),
    });
  }, [job, may]);

  return (
    <div ref={card} role="listitem" className={css.card} data-dragged={dragged || undefined}>
      <div className={css.cardTop}>
        <span className="truncate">{job.client.name}</span>
        {may && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon size={24} className={css.mover} aria-label={`Move ${job.title}`}>
                <IconArrowsHorizontal size={15} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>Move to</Menu.Label>
              {stages.map((stage) => (
                <Menu.Item
                  key={stage.id}
                  disabled={stage.id === job.stage_id}
                  onClick={() => onMove(job, stage)}
                >
                  {stage.name}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      <Link to="/work/jobs/$jobId" params={{ jobId: job.id }} className={css.cardTitle} draggable={false}>
        {job.title}
      </Link>
      <div className={css.cardStatus}>
        <Status value={job.status} title={job.why.says} />
      </div>
      <div className={css.cardFoot}>
        <DateText date={job.due_on} late={!job.closed_at} />
        <span className="num" title={`${job.tasks_done} of ${job.tasks_total} tasks done`}>
          {job.tasks_done}/{job.tasks_total}
        </span>
        <span className={css.cardOwner}>
          <Person name={job.owner?.name} compact />
        </span>
      </div>
    </div>
  );
}
