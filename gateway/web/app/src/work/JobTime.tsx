import { useInfiniteQuery } from '@tanstack/react-query';
import { clock, inWords } from '@/lib/durations';
import { entriesQuery, type TimeEntry } from '@/time/api';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Loaded, Rows } from '@/ui/states';
import type { Job } from './api';
import css from './JobPage.module.css';

/** Time against budget, and the latest entries. */
export function JobTime({ job }: { job: Job }) {
  const query = useInfiniteQuery(entriesQuery({ job_id: job.id }));
  return (
    <Section title="Time">
      <Burn logged={job.logged_minutes} budget={job.budget_minutes} />
      <Loaded query={query} what="Time" skeleton={<Rows count={3} />}>
        {({ pages }) => <Latest entries={pages[0].items} />}
      </Loaded>
    </Section>
  );
}

function Burn({ logged, budget }: { logged: number; budget: number }) {
  if (budget === 0) return <p style={{ margin: '0 0 8px' }}>{inWords(logged)} logged, no budget</p>;
  const share = logged / budget;
  return (
    <>
      <div className="num">
        <strong>{inWords(logged)}</strong> of {inWords(budget)}{' '}
        <span className="quiet">({Math.round(share * 100)} %)</span>
      </div>
      <div className={css.burn} aria-hidden>
        <div style={{ width: `${Math.min(100, share * 100)}%` }} data-over={share > 1 || undefined} />
      </div>
    </>
  );
}

function Latest({ entries }: { entries: TimeEntry[] }) {
  if (entries.length === 0) return null;
  return (
    <ul className={list.list}>
      {entries.slice(0, 8).map((entry) => (
        <li key={entry.id} className={list.item}>
          <div className={list.main}>
            <div className="truncate">
              {entry.narrative || entry.task_title || entry.activity_name || 'Time'}
            </div>
            <div className={list.note}>
              {entry.staff_name} · <DateText date={entry.day} />
            </div>
          </div>
          <span className="num">{clock(entry.seconds)}</span>
        </li>
      ))}
    </ul>
  );
}
