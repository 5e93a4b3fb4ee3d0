import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Person } from '@/ui/Person';
import { Status } from '@/ui/Status';
import { Loaded, Rows } from '@/ui/states';
import { jobsQuery } from '@/work/api';

/** The client's jobs: open ones first by due date, then what is finished. */
export function ClientJobs({ clientId }: { clientId: string }) {
  const query = useInfiniteQuery(jobsQuery({ client_id: clientId, closed: 'any' }));
  return (
    <Section title="Jobs">
      <Loaded query={query} what="Jobs" skeleton={<Rows count={4} />}>
        {({ pages }) => {
          const jobs = pages.flatMap((page) => page.items);
          const sorted = [...jobs.filter((job) => !job.closed_at), ...jobs.filter((job) => job.closed_at)];
          if (sorted.length === 0) {
            return (
              <p className="quiet" style={{ margin: 0 }}>
                No jobs yet.{' '}
                <Link to="/work/new" search={{ client: clientId }}>
                  Start one
                </Link>
              </p>
            );
          }
          return (
            <ul className={list.list}>
              {sorted.map((job) => (
                <li key={job.id} className={list.item}>
                  <div className={list.main}>
                    <div className={list.title}>
                      <Link to="/work/jobs/$jobId" params={{ jobId: job.id }}>
                        {job.title}
                      </Link>
                    </div>
                    <div className={list.note}>
                      {job.tasks_done} of {job.tasks_total} tasks done
                    </div>
                  </div>
                  <div className={list.end}>
                    {!job.closed_at && <DateText date={job.due_on} late />}
                    <Status value={job.status} title={job.why.says} />
                    <Person name={job.owner?.name} compact />
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Section>
  );
}
