import { monitorForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { Skeleton } from '@mantine/core';
import { IconBriefcase } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { isProblem } from '@/api/problem';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { LinkButton } from '@/ui/LinkButton';
import { Empty, Loaded } from '@/ui/states';
import { failed } from '@/ui/toasts';
import { type Board, boardQuery, type JobRow, type Stage, useMoveJob } from './api';
import css from './Board.module.css';
import { BoardColumn } from './BoardColumn';
import type { WorkSearch } from './search';

export type MoveJob = (job: JobRow, stage: Stage) => void;

export function BoardView({ search }: { search: WorkSearch }) {
  const { owner, status, client } = search;
  const query = useQuery({
    ...boardQuery({ owner, status, client_id: client }),
    placeholderData: (before) => before,
  });
  return (
    <Loaded query={query} what="The board" skeleton={<BoardSkeleton />}>
      {(board) =>
        board.columns.every(({ count }) => count === 0) ? (
          <NoJobs filtered={Boolean(owner || status || client)} />
        ) : (
          <Columns board={board} search={search} />
        )
      }
    </Loaded>
  );
}

function Columns({ board, search }: { board: Board; search: WorkSearch }) {
  const move = useMove();
  const [said, setSaid] = useState('');
  const stages = board.columns.map(({ stage }) => stage);

  const moveAndSay: MoveJob = (job, stage) => {
    if (job.stage_id === stage.id) return;
    move(job, stage);
    setSaid(`${job.title} moved to ${stage.name}`);
  };

  useEffect(() =>
    monitorForElements({
      onDrop: ({ source, location }) => {
        const stage = location.current.dropTargets[0]?.data.stage as Stage | undefined;
        const job = source.data.job as JobRow | undefined;
        if (stage && job) moveAndSay(job, stage);
      },
    }),
  );

  return (
    <div className={css.board}>
      {board.columns.map((column) => (
        <BoardColumn
          key={column.stage.id}
          column={column}
          stages={stages}
          onMove={moveAndSay}
          search={search}
        />
      ))}
      <div className="visually-hidden" aria-live="polite">
        {said}
      </div>
    </div>
  );
}

/** Moves; if tasks are still open, a finished stage is asked about and not refused bluntly. */
function useMove(): MoveJob {
  const move = useMoveJob();
  return (job, stage) =>
    move.mutate(
      { job, stage },
      {
        onError: async (error) => {
          if (!isProblem(error) || error.code !== 'job_has_open_tasks') return failed(error);
          const open = job.tasks_total - job.tasks_done;
          const yes = await ask({
            title: `Finish “${job.title}”?`,
            text: `${open} ${open === 1 ? 'task is' : 'tasks are'} still open. They will be skipped.`,
            act: 'Skip them and finish',
          });
          if (yes !== null) move.mutate({ job, stage, skip_open_tasks: true }, { onError: failed });
        },
      },
    );
}

export function NoJobs({ filtered }: { filtered: boolean }) {
  const may = useMay();
  if (filtered) {
    return (
      <Empty
        icon={IconBriefcase}
        title="No open job matches these filters"
        action={
          <LinkButton to="/work" search={{}} variant="default">
            Show all
          </LinkButton>
        }
      />
    );
  }
  return (
    <Empty
      icon={IconBriefcase}
      title="No open jobs"
      action={may('workflow:jobs:write') && <LinkButton to="/work/new">Start a job</LinkButton>}
    >
      A job is one delivery of work for one client, usually made from a template: its tasks, owners and dates
      appear by themselves.
    </Empty>
  );
}

function BoardSkeleton() {
  return (
    <div className={css.board} role="status" aria-label="Loading the board">
      {[3, 5, 2, 4].map((cards, column) => (
        <div key={column} className={css.column}>
          <div className={css.columnHead}>
            <Skeleton height={14} width={96} />
          </div>
          <div className={css.cards}>
            {Array.from({ length: cards }, (_, index) => (
              <Skeleton key={index} height={104} radius="md" />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
