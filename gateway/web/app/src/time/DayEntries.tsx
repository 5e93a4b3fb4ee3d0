import { Button } from '@mantine/core';
import { IconClock } from '@tabler/icons-react';
import { fullDate, shortDate } from '@/lib/dates';
import { clock } from '@/lib/durations';
import { useMay } from '@/session/me';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Empty } from '@/ui/states';
import type { TimeEntry } from './api';
import { EntryLine } from './EntryLine';
import { useLogTime } from './LogTime';

/** The chosen day first, then the other days of the week that have entries. */
export function DayEntries({ week, day, entries }: { week: string[]; day: string; entries: TimeEntry[] }) {
  const logTime = useLogTime();
  const may = useMay();
  const of = (one: string) => entries.filter((entry) => entry.day === one);
  const others = week.filter((one) => one !== day && of(one).length > 0).reverse();
  return (
    <>
      <Section title={fullDate(day)}>
        {of(day).length === 0 ? (
          <Empty
            icon={IconClock}
            title="Nothing logged on this day"
            action={
              may('timebilling:time:write') && (
                <Button variant="default" onClick={() => logTime.open({ day })}>
                  Log time
                </Button>
              )
            }
          >
            What is logged, submitted and approved becomes work in progress that can be billed.
          </Empty>
        ) : (
          <Entries entries={of(day)} />
        )}
      </Section>
      {others.map((one) => (
        <Section
          key={one}
          title={`${shortDate(one)} · ${clock(of(one).reduce((sum, { seconds }) => sum + seconds, 0))}`}
        >
          <Entries entries={of(one)} />
        </Section>
      ))}
    </>
  );
}

const Entries = ({ entries }: { entries: TimeEntry[] }) => (
  <ul className={list.list}>
    {entries.map((entry) => (
      <EntryLine key={entry.id} entry={entry} />
    ))}
  </ul>
);
