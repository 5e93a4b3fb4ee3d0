import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback } from 'react';
import { clock } from '@/lib/durations';
import { type Column, DataGrid } from '@/ui/DataGrid';
import { DateText } from '@/ui/DateText';
import { Person } from '@/ui/Person';
import { Status } from '@/ui/Status';
import { Loaded, Rows } from '@/ui/states';
import { TwoLines } from '@/ui/TwoLines';
import { type JobRow, jobsQuery, stagesQuery } from './api';
import { NoJobs } from './BoardView';
import type { WorkSearch } from './search';

const progress = (job: JobRow) => `${job.tasks_done}/${job.tasks_total}`;

/** Time logged, against its budget if there is one: "4:30 / 5:15". */
const burn = ({ logged_minutes, budget_minutes }: JobRow) => {
  const logged = clock(logged_minutes * 60);
  if (budget_minutes === 0) return logged_minutes > 0 ? logged : '';
  return `${logged} / ${clock(budget_minutes * 60)}`;
};

function columns(stageName: (id: string) => string): Column<JobRow>[] {
  return [
    {
      key: 'job',
      header: 'Job',
      width: 'minmax(200px, 2fr)',
      cell: (job) => (
        <Link
          to="/work/jobs/$jobId"
          params={{ jobId: job.id }}
          className="truncate"
          tabIndex={-1}
          style={{ textDecoration: 'none', fontWeight: 600 }}
        >
          {job.title}
        </Link>
      ),
    },
    {
      key: 'client',
      header: 'Client',
      width: 'minmax(150px, 1.4fr)',
      cell: (job) => <span className="truncate">{job.client.name}</span>,
    },
    {
      key: 'status',
      header: 'Status',
      width: '164px',
      cell: (job) => <Status value={job.status} title={job.why.says} />,
    },
    {
      key: 'stage',
      header: 'Stage',
      width: '104px',
      cell: (job) => <span className="truncate">{stageName(job.stage_id)}</span>,
    },
    {
      key: 'due',
      header: 'Due',
      width: '96px',
      cell: (job) => <DateText date={job.due_on} late={!job.closed_at} />,
    },
    {
      key: 'owner',
      header: 'Owner',
      width: 'minmax(120px, 0.8fr)',
      cell: (job) => <Person name={job.owner?.name} />,
    },
    { key: 'tasks', header: 'Tasks', width: '52px', align: 'right', cell: progress },
    { key: 'time', header: 'Time', width: '120px', align: 'right', cell: burn },
  ];
}

export function JobList({ search }: { search: WorkSearch }) {
  const { owner, status, stage, client } = search;
  const filters = { owner, status, client_id: client, ...(stage ? { stage_id: stage } : {}) };
  const query = useInfiniteQuery({ ...jobsQuery(filters), placeholderData: (before) => before });
  const stages = useQuery(stagesQuery());
  const stageName = (id: string) => stages.data?.find((one) => one.id === id)?.name ?? '';
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <Loaded query={query} what="Jobs" skeleton={<Rows count={12} />}>
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.items);
        if (rows.length === 0) return <NoJobs filtered={Boolean(owner || status || stage || client)} />;
        return (
          <DataGrid
            label="Jobs"
            columns={columns(stageName)}
            rows={rows}
            rowKey={(job) => job.id}
            href={(job) => `/work/jobs/${job.id}`}
            onEnd={more}
            total={hasNextPage ? -1 : rows.length}
            card={(job) => (
              <TwoLines
                title={job.title}
                state={<Status value={job.status} />}
                note={`${job.client.name} · ${stageName(job.stage_id)}`}
                end={<DateText date={job.due_on} late={!job.closed_at} />}
              />
            )}
          />
        );
      }}
    </Loaded>
  );
}
