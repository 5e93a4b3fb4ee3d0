import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconPlayerStopFilled, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { running } from '@/lib/durations';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import css from './RunningTimer.module.css';
import { type Timer, timerQuery, useDiscardTimer, useStopTimer } from './timer';

/** My timer, always in sight while it runs: how long, on what, and the way to stop it. */
export function RunningTimer({ compact = false }: { compact?: boolean }) {
  const may = useMay()('timebilling:time:write');
  const { data: timer } = useQuery({ ...timerQuery(), enabled: may });
  return timer ? <Shown timer={timer} compact={compact} /> : null;
}

function Shown({ timer, compact }: { timer: Timer; compact: boolean }) {
  const stop = useStopTimer();
  const discard = useDiscardTimer();
  const seconds = useSecondsSince(timer.started_at);
  const leave = async () => {
    const sure = await ask({
      title: 'Discard this timer?',
      text: `${running(seconds)} on ${timer.job_title} is not logged.`,
      act: 'Discard',
    });
    if (sure !== null) discard.mutate(timer);
  };
  return (
    <section className={css.timer} data-compact={compact || undefined} aria-label="Running timer">
      <Link to="/work/jobs/$jobId" params={{ jobId: timer.job_id }} className={css.what}>
        <div className="truncate">{timer.task_title ?? timer.job_title}</div>
        <div className="truncate quiet">{timer.client_name}</div>
      </Link>
      <span className={css.clock} role="timer">
        {running(seconds)}
      </span>
      <ActionIcon
        size={compact ? 44 : 28}
        aria-label={`Stop the timer on ${timer.job_title} and log it`}
        loading={stop.isPending}
        onClick={() => stop.mutate({})}
      >
        <IconPlayerStopFilled size={16} />
      </ActionIcon>
      {!compact && (
        <Menu position="top-end" width={180}>
          <Menu.Target>
            <ActionIcon size={28} aria-label="More for the timer">
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconTrash size={16} />} onClick={leave}>
              Discard …
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </section>
  );
}

/** Counts on by itself; never below zero, should this machine's clock be behind. */
function useSecondsSince(instant: string): number {
  const since = Date.parse(instant);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, []);
  return Math.max(0, Math.floor((now - since) / 1000));
}
