import { ActionIcon, Button, Group } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { addDays, shortDate, startOfWeek, today, weekOf } from '@/lib/dates';
import { clock } from '@/lib/durations';
import { useMay, useMe } from '@/session/me';
import { LinkButton } from '@/ui/LinkButton';
import { Page } from '@/ui/Page';
import { Loaded, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { entriesQuery, type TimeEntry, useSubmitTime } from './api';
import { DayEntries } from './DayEntries';
import { useLogTime } from './LogTime';
import css from './Time.module.css';

/** My week: a strip of days with their sums, the entries below, and handing them in. */
export function Time() {
  const { day = today() } = useSearch({ from: '/framed/time' });
  const navigate = useNavigate({ from: '/time' });
  const { data: me } = useMe();
  const may = useMay();
  const logTime = useLogTime();
  const submit = useSubmitTime();
  const week = weekOf(day, me?.firm.week_start);
  const query = useInfiniteQuery({
    ...entriesQuery({ staff_id: me?.id, day_from: week[0], day_to: week[6] }),
    enabled: Boolean(me),
  });
  const entries = query.data?.pages.flatMap((page) => page.items) ?? [];
  const open = entries.filter(({ status }) => status === 'draft' || status === 'returned');
  const go = (to: string) => navigate({ search: { day: to === today() ? undefined : to } });
  const submitAll = () =>
    submit.mutate(
      open.map(({ id }) => id),
      { onSuccess: ({ done }) => said(`${done} ${done === 1 ? 'entry' : 'entries'} handed in`) },
    );

  return (
    <Page
      title="Time"
      facts={`${shortDate(week[0])} – ${shortDate(week[6])}`}
      actions={
        <>
          {may('timebilling:time:act') && (
            <LinkButton to="/time/approve" variant="default">
              Approve
            </LinkButton>
          )}
          {may('timebilling:time:write') && open.length > 0 && (
            <Button variant="default" onClick={submitAll} loading={submit.isPending}>
              Submit week ({open.length})
            </Button>
          )}
          {may('timebilling:time:write') && (
            <Button leftSection={<IconPlus size={16} />} onClick={() => logTime.open({ day })}>
              Log time
            </Button>
          )}
        </>
      }
      bar={
        <Group gap={4}>
          <ActionIcon
            size={32}
            variant="default"
            aria-label="Week before"
            onClick={() => go(addDays(day, -7))}
          >
            <IconChevronLeft size={16} />
          </ActionIcon>
          <ActionIcon size={32} variant="default" aria-label="Week after" onClick={() => go(addDays(day, 7))}>
            <IconChevronRight size={16} />
          </ActionIcon>
          {startOfWeek(day, me?.firm.week_start) !== startOfWeek(today(), me?.firm.week_start) && (
            <Button size="xs" variant="default" onClick={() => go(today())}>
              This week
            </Button>
          )}
        </Group>
      }
    >
      <WeekStrip week={week} entries={entries} day={day} onDay={go} />
      <Loaded query={query} what="Your time" skeleton={<Rows count={6} />}>
        {() => <DayEntries week={week} day={day} entries={entries} />}
      </Loaded>
    </Page>
  );
}

function WeekStrip({
  week,
  entries,
  day,
  onDay,
}: {
  week: string[];
  entries: TimeEntry[];
  day: string;
  onDay: (day: string) => void;
}) {
  const total = entries.reduce((sum, { seconds }) => sum + seconds, 0);
  return (
    <div className={css.strip}>
      {week.map((one) => {
        const seconds = entries
          .filter((entry) => entry.day === one)
          .reduce((sum, entry) => sum + entry.seconds, 0);
        return (
          <button
            key={one}
            type="button"
            className={css.day}
            data-today={one === today() || undefined}
            aria-pressed={one === day}
            onClick={() => onDay(one)}
          >
            <span>{shortDate(one)}</span>
            <strong className="num" data-none={seconds === 0 || undefined}>
              {clock(seconds)}
            </strong>
          </button>
        );
      })}
      <div className={css.total}>
        <span>Week</span>
        <strong className="num">{clock(total)}</strong>
      </div>
    </div>
  );
}
