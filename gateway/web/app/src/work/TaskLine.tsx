import { ActionIcon, Menu } from '@mantine/core';
import {
  IconCalendar,
  IconCircle,
  IconCircleCheckFilled,
  IconCircleDotted,
  IconDots,
  IconLock,
  IconPlayerPlay,
  IconPlayerSkipForward,
  IconStopwatch,
  IconUser,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { inWords } from '@/lib/durations';
import { useMay } from '@/session/me';
import { useStartTimer } from '@/time/timer';
import { ask } from '@/ui/ask';
import { DateText } from '@/ui/DateText';
import css from '@/ui/List.module.css';
import { Person } from '@/ui/Person';
import {
  type Task,
  type TaskRow,
  useAssignTask,
  useFinishTask,
  useMoveTaskDue,
  useReopenTask,
  useSkipTask,
  useStartTask,
} from './api';
import { AssignDialog, MoveDateDialog } from './TaskDialogs';
import own from './TaskLine.module.css';

const closed = (task: Task) => ['done', 'skipped', 'cancelled'].includes(task.status);

type Props = {
  task: Task | TaskRow;
  /** On the job's own page its name and client go without saying; owner and budget are shown instead. */
  inJob?: boolean;
  /** Whether the line says when it is due; under a heading with the day it need not. */
  dated?: boolean;
  children?: React.ReactNode;
};

/** One task: tick it, see whose it is, when it is due and what it waits for. */
export function TaskLine({ task, inJob = false, dated = true, children }: Props) {
  const row = 'job' in task ? task : null;
  return (
    <li className={`${css.item} ${own.line}`} data-closed={closed(task) || undefined}>
      <Tick task={task} />
      <div className={css.main}>
        <div className={css.title}>
          <span className={own.title} data-closed={closed(task) || undefined}>
            {row && !inJob ? (
              <Link to="/work/jobs/$jobId" params={{ jobId: task.job_id }}>
                {task.title}
              </Link>
            ) : (
              task.title
            )}
          </span>
          {task.blocked && !closed(task) && <Blocked task={task} />}
          {task.status === 'in_progress' && <span className={own.begun}>In progress</span>}
          {task.status === 'skipped' && <span className={own.begun}>Skipped</span>}
        </div>
        {row && !inJob && (
          <div className={css.note}>
            {row.client.name} · {row.job.title}
          </div>
        )}
        {inJob && <Notes task={task} />}
        {children}
      </div>
      <div className={css.end}>
        {dated && !closed(task) && <DateText date={task.due_on} late />}
        {inJob && <Person name={task.owner?.name} compact />}
        <TaskMenu task={task} />
      </div>
    </li>
  );
}

function Notes({ task }: { task: Task }) {
  const notes = [
    task.description,
    task.role?.replaceAll('_', ' '),
    task.budget_minutes > 0 && `${inWords(task.logged_minutes)} of ${inWords(task.budget_minutes)}`,
    task.budget_minutes === 0 && task.logged_minutes > 0 && inWords(task.logged_minutes),
    task.due_moves > 0 && `moved ${task.due_moves === 1 ? 'once' : `${task.due_moves} times`}`,
    task.attention,
  ].filter(Boolean);
  return notes.length > 0 ? <div className={css.note}>{notes.join(' · ')}</div> : null;
}

function Blocked({ task }: { task: Task }) {
  const waits = task.blocked_by
    .map(({ title, until }) => (until ? `${title} (until ${until})` : title))
    .join(', ');
  return (
    <span className={own.blocked} title={`Waits for: ${waits}`}>
      <IconLock size={13} aria-hidden />
      <span className="truncate">Waits for {waits}</span>
    </span>
  );
}

/** The circle in front: done with one click, open again with another (and a reason). */
function Tick({ task }: { task: Task }) {
  const may = useMay()('workflow:jobs:act');
  const finish = useFinishTask();
  const reopen = useReopenTask();
  const done = task.status === 'done';
  const Icon = done ? IconCircleCheckFilled : task.status === 'skipped' ? IconCircleDotted : IconCircle;

  const click = async () => {
    if (closed(task)) {
      const reason = await ask({
        title: 'Open this task again?',
        text: 'What waits for it and has not begun is blocked again.',
        act: 'Reopen',
        reason: { label: 'Why' },
      });
      if (reason) reopen.mutate({ task, given: reason });
      return;
    }
    if (!task.blocked) return finish.mutate({ task, given: undefined });
    const despite = await askDespite(task, 'Mark as done');
    if (despite) finish.mutate({ task, given: despite });
  };
  return (
    <ActionIcon
      className={own.tick}
      data-done={done || undefined}
      size={28}
      disabled={!may || task.status === 'cancelled'}
      onClick={click}
      aria-label={closed(task) ? `Reopen ${task.title}` : `Mark ${task.title} as done`}
      aria-pressed={done}
    >
      <Icon size={20} stroke={1.5} />
    </ActionIcon>
  );
}

const askDespite = (task: Task, act: string) =>
  ask({
    title: 'This task is waiting',
    text: `It waits for ${task.blocked_by.map(({ title }) => `“${title}”`).join(', ')}. You can go on all the same; your reason is kept.`,
    act,
    reason: { label: 'Why it goes on' },
  });

function TaskMenu({ task }: { task: Task }) {
  const may = useMay()('workflow:jobs:act');
  const mayLog = useMay()('timebilling:time:write');
  const startTimer = useStartTimer();
  const start = useStartTask();
  const skip = useSkipTask();
  const assign = useAssignTask();
  const move = useMoveTaskDue();
  const [dialog, setDialog] = useState<'assign' | 'date' | null>(null);
  if (!may || task.status === 'cancelled') return null;

  const begin = async () => {
    const despite = task.blocked ? await askDespite(task, 'Start') : undefined;
    if (despite !== null) start.mutate({ task, given: despite });
  };
  const leave = async () => {
    const reason = await ask({
      title: `Skip “${task.title}”?`,
      text: 'It is not needed this time; what waits for it goes on.',
      act: 'Skip',
      reason: { label: 'Why' },
    });
    if (reason) skip.mutate({ task, given: reason });
  };
  return (
    <>
      <Menu position="bottom-end" width={200}>
        <Menu.Target>
          <ActionIcon aria-label={`More for ${task.title}`} size={28}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {task.status === 'not_started' && (
            <Menu.Item leftSection={<IconPlayerPlay size={16} />} onClick={begin}>
              Start
            </Menu.Item>
          )}
          {mayLog && !closed(task) && (
            <Menu.Item
              leftSection={<IconStopwatch size={16} />}
              onClick={() => startTimer.mutate({ job_id: task.job_id, task_id: task.id })}
            >
              Start timer
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconUser size={16} />} onClick={() => setDialog('assign')}>
            Give to …
          </Menu.Item>
          {!closed(task) && (
            <>
              <Menu.Item leftSection={<IconCalendar size={16} />} onClick={() => setDialog('date')}>
                Move the date …
              </Menu.Item>
              <Menu.Item leftSection={<IconPlayerSkipForward size={16} />} onClick={leave}>
                Skip …
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <AssignDialog
        opened={dialog === 'assign'}
        onClose={() => setDialog(null)}
        current={task.owner}
        onAssign={(owner) => assign.mutate({ task, given: owner })}
      />
      <MoveDateDialog
        opened={dialog === 'date'}
        onClose={() => setDialog(null)}
        date={task.due_on}
        what={task.title}
        onMove={(given) => move.mutate({ task, given })}
      />
    </>
  );
}
