import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { shortInstant } from '@/lib/dates';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Loaded, Rows } from '@/ui/states';
import { requestsQuery } from '@/work/api';

/** Requests that clients have handed in on my jobs. */
export function CameBack() {
  const query = useQuery(requestsQuery({ owner: 'me', status: ['submitted'] }));
  return (
    <Section title="Came back from clients" count={query.data?.items.length || undefined}>
      <Loaded query={query} what="Requests" skeleton={<Rows count={2} />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet" style={{ margin: 0 }}>
              Nothing waits for your look.
            </p>
          ) : (
            <ul className={list.list}>
              {items.map((request) => (
                <li key={request.id} className={list.item}>
                  <div className={list.main}>
                    <div className={list.title}>
                      <Link
                        to="/work/jobs/$jobId"
                        params={{ jobId: request.job.id }}
                        hash={`request-${request.id}`}
                      >
                        {request.title}
                      </Link>
                    </div>
                    <div className={list.note}>
                      {request.client.name}
                      {request.submitted_at && ` · ${shortInstant(request.submitted_at)}`}
                    </div>
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
