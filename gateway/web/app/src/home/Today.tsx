import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { clock } from '@/lib/durations';
import { dayQuery } from '@/time/api';
import { useLogTime } from '@/time/LogTime';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Loaded } from '@/ui/states';
import css from './Home.module.css';

/** What I have logged today. */
export function Today() {
  const query = useQuery(dayQuery());
  const logTime = useLogTime();
  return (
    <Section
      title="My time today"
      actions={
        <Button size="xs" variant="default" onClick={() => logTime.open({})}>
          Log time
        </Button>
      }
    >
      <Loaded query={query} what="Your time" skeleton={<Skeleton height={48} />}>
        {({ seconds, entries }) => (
          <>
            <div className={css.hours}>
              <span className={css.figure}>{clock(seconds)}</span>
              <Link to="/time" className="quiet">
                {entries.length === 0
                  ? 'nothing logged yet'
                  : `in ${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`}
              </Link>
            </div>
            {entries.length > 0 && (
              <ul className={list.list} style={{ marginTop: 8 }}>
                {entries.slice(0, 4).map((entry) => (
                  <li key={entry.id} className={list.item}>
                    <div className={list.main}>
                      <div className="truncate">{entry.client_name}</div>
                      <div className={`${list.note} truncate`}>
                        {entry.narrative || entry.task_title || entry.job_title}
                      </div>
                    </div>
                    <span className="num">{clock(entry.seconds)}</span>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
}
