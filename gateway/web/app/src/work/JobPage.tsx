import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { isProblem } from '@/api/problem';
import { DocumentsSection } from '@/documents/DocumentsSection';
import { NotFound } from '@/frame/Lost';
import { periodName } from '@/lib/dates';
import { useMay } from '@/session/me';
import { useLogTime } from '@/time/LogTime';
import { useStartTimer } from '@/time/timer';
import { DateText } from '@/ui/DateText';
import { Page } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { Failed, Rows } from '@/ui/states';
import { WhyCard } from '@/ui/WhyCard';
import { type Job, jobQuery } from './api';
import { JobFacts } from './JobFacts';
import { JobMenu } from './JobMenu';
import { JobMoney } from './JobMoney';
import css from './JobPage.module.css';
import { JobTime } from './JobTime';
import { RequestsSection } from './RequestsSection';
import { StageSelect } from './StageSelect';
import { TasksSection } from './TasksSection';

/** Everything about one job, nothing more than two clicks away. */
export function JobPage() {
  const { jobId } = useParams({ from: '/framed/work/jobs/$jobId' });
  const query = useQuery(jobQuery(jobId));
  if (query.data) return <Loaded job={query.data} />;
  if (isProblem(query.error, 404)) return <NotFound />;
  return (
    <Page title="Job">
      {query.error ? (
        <Failed error={query.error} what="This job" retry={() => query.refetch()} />
      ) : (
        <Rows count={8} />
      )}
    </Page>
  );
}

function Loaded({ job }: { job: Job }) {
  const may = useMay();
  const logTime = useLogTime();
  const startTimer = useStartTimer();
  const period = periodName(job.period_start, job.period_end);
  return (
    <Page
      title={job.title}
      trail={
        <>
          <Link to="/work">Work</Link> /{' '}
          <Link to="/clients/$clientId" params={{ clientId: job.client.id }}>
            {job.client.name}
          </Link>
        </>
      }
      beside={
        <WhyCard why={job.why} label="Status">
          <Status value={job.status} />
        </WhyCard>
      }
      facts={
        <>
          <span>{job.why.says}</span>
          {job.due_on && (
            <span>
              Due <DateText date={job.due_on} relative late={!job.closed_at} />
            </span>
          )}
          {period && <span>{period}</span>}
        </>
      }
      actions={
        <>
          <StageSelect job={job} />
          {may('timebilling:time:write') && (
            <>
              <Button
                variant="default"
                loading={startTimer.isPending}
                onClick={() => startTimer.mutate({ job_id: job.id })}
              >
                Start timer
              </Button>
              <Button variant="default" onClick={() => logTime.open({ jobId: job.id })}>
                Log time
              </Button>
            </>
          )}
          {may('workflow:jobs:write') && <JobMenu job={job} />}
        </>
      }
    >
      <div className={css.columns}>
        <div className={css.main}>
          <TasksSection job={job} />
          <RequestsSection job={job} />
          {may('documents:documents:read') && <DocumentsSection clientId={job.client.id} jobId={job.id} />}
        </div>
        <div className={css.side}>
          <JobFacts job={job} />
          <JobTime job={job} />
          {may('timebilling:wip:read') && <JobMoney job={job} />}
        </div>
      </div>
    </Page>
  );
}
