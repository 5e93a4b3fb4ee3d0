import { Button, Checkbox } from '@mantine/core';
import { IconChecks } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { clock } from '@/lib/durations';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { Page, Section } from '@/ui/Page';
import { Empty, Loaded, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { WhyCard } from '@/ui/WhyCard';
import { entriesQuery, type TimeEntry, useApproveTime, useReturnTime, whyEntryQuery } from './api';
import { exceptionOf, exceptionsFirst } from './exceptions';

/** What was handed in, person by person, exceptions first; approval freezes the rate. */
export function Approve() {
  const query = useInfiniteQuery(entriesQuery({ status: 'submitted' }));
  return (
    <Page title="Approve time" trail={<Link to="/time">Time</Link>}>
      <Loaded query={query} what="The queue" skeleton={<Rows count={8} />}>
        {({ pages }) => <Queue entries={pages.flatMap((page) => page.items)} />}
      </Loaded>
    </Page>
  );
}

function Queue({ entries }: { entries: TimeEntry[] }) {
  if (entries.length === 0) {
    return (
      <Empty icon={IconChecks} title="Nothing waits for approval">
        Time that people submit appears here.
      </Empty>
    );
  }
  const people = [...new Map(entries.map((entry) => [entry.staff_id, entry.staff_name]))].sort((a, b) =>
    a[1].localeCompare(b[1]),
  );
  return people.map(([id, name]) => (
    <OnePerson
      key={id}
      name={name}
      entries={exceptionsFirst(entries.filter((entry) => entry.staff_id === id))}
    />
  ));
}

function OnePerson({ name, entries }: { name: string; entries: TimeEntry[] }) {
  const [left, setLeft] = useState<string[]>([]);
  const approve = useApproveTime();
  const giveBack = useReturnTime();
  const chosen = entries.filter(({ id }) => !left.includes(id)).map(({ id }) => id);
  const toggle = (id: string) =>
    setLeft((ids) => (ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id]));
  const returnAsked = async () => {
    const reason = await ask({
      title: `Return ${chosen.length} ${chosen.length === 1 ? 'entry' : 'entries'} to ${name}?`,
      act: 'Return',
      reason: { label: 'What should be changed' },
    });
    if (reason) giveBack.mutate({ ids: chosen, reason });
  };
  return (
    <Section
      title={`${name} · ${clock(entries.reduce((sum, { seconds }) => sum + seconds, 0))}`}
      actions={
        <>
          <Button
            size="xs"
            variant="default"
            disabled={chosen.length === 0}
            onClick={returnAsked}
            loading={giveBack.isPending}
          >
            Return
          </Button>
          <Button
            size="xs"
            disabled={chosen.length === 0}
            loading={approve.isPending}
            onClick={() => approve.mutate(chosen, { onSuccess: ({ done }) => said(`${done} approved`) })}
          >
            Approve {chosen.length}
          </Button>
        </>
      }
    >
      <ul className={list.list}>
        {entries.map((entry) => (
          <Line
            key={entry.id}
            entry={entry}
            chosen={!left.includes(entry.id)}
            onToggle={() => toggle(entry.id)}
          />
        ))}
      </ul>
    </Section>
  );
}

function Line({ entry, chosen, onToggle }: { entry: TimeEntry; chosen: boolean; onToggle: () => void }) {
  const exception = exceptionOf(entry);
  return (
    <li className={list.item}>
      <Checkbox
        checked={chosen}
        onChange={onToggle}
        aria-label={`Choose ${clock(entry.seconds)} on ${entry.job_title}`}
      />
      <div className={list.main}>
        <div>
          {entry.client_name} · {entry.job_title}
        </div>
        <div className={list.note}>
          {exception && <strong style={{ color: 'var(--at-risk)' }}>{exception}. </strong>}
          {[entry.narrative, entry.task_title, !entry.billable && 'not billable'].filter(Boolean).join(' · ')}
        </div>
      </div>
      <div className={list.end}>
        <DateText date={entry.day} />
        <Rate entry={entry} />
        <strong className="num">{clock(entry.seconds)}</strong>
      </div>
    </li>
  );
}

/** The rate approval would freeze, and why. Asked for only when somebody wants to know. */
function Rate({ entry }: { entry: TimeEntry }) {
  const may = useMay();
  const [asked, setAsked] = useState(false);
  const why = useQuery({ ...whyEntryQuery(entry.id), enabled: asked });
  if (!may('timebilling:wip:read') || !entry.billable) return null;
  if (!why.data) {
    return (
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        onClick={() => setAsked(true)}
        loading={asked && why.isFetching}
      >
        Rate?
      </Button>
    );
  }
  const { rate } = why.data;
  return rate ? (
    <WhyCard why={rate} label="Rate">
      <span className="num">{rate.figure}</span>
    </WhyCard>
  ) : (
    <span style={{ color: 'var(--overdue)' }}>No rate</span>
  );
}
