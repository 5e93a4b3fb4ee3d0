import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { inWords } from '@/lib/durations';
import { Section } from '@/ui/Page';
import { Loaded } from '@/ui/states';
import { overviewQuery } from '@/work/api';
import css from './Home.module.css';

/** Who has how much due this week, against what they can do in one. Fullest first. */
export function Workload() {
  const query = useQuery(overviewQuery());
  return (
    <Section title="Due this week, by person">
      <Loaded query={query} what="The workload">
        {({ owners }) => (
          <div>
            {owners.every(({ due_this_week_tasks }) => due_this_week_tasks === 0) && (
              <p className="quiet" style={{ margin: 0 }}>
                Nobody has anything due this week.
              </p>
            )}
            {owners
              .flatMap(({ staff, ...load }) =>
                staff && load.due_this_week_tasks > 0 ? [{ staff, ...load }] : [],
              )
              .map((load) => ({
                ...load,
                share: load.weekly_capacity_minutes
                  ? load.due_this_week_minutes / load.weekly_capacity_minutes
                  : 0,
              }))
              .sort((a, b) => b.share - a.share)
              .slice(0, 8)
              .map(({ staff, share, due_this_week_minutes, due_this_week_tasks, overdue_tasks }) => (
                <div key={staff.id} className={css.bar}>
                  <Link
                    to="/work"
                    search={{ view: 'list', owner: staff.id }}
                    className="truncate"
                    style={{ textDecoration: 'none' }}
                  >
                    {staff.name}
                  </Link>
                  <span className="num quiet" title={`${due_this_week_tasks} tasks, ${overdue_tasks} late`}>
                    {inWords(due_this_week_minutes)}
                    {share > 0 && ` · ${Math.round(share * 100)} %`}
                  </span>
                  <div className={css.track} aria-hidden>
                    <div
                      className={css.fill}
                      data-over={share > 1 || undefined}
                      style={{ width: `${Math.min(100, share * 100)}%` }}
                    />
                  </div>
                </div>
              ))}
          </div>
        )}
      </Loaded>
    </Section>
  );
}
