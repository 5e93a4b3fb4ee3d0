import { Button, Checkbox, Group, Select, Skeleton } from '@mantine/core';
import { IconCoin } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { clock } from '@/lib/durations';
import { formatMoney, sum } from '@/lib/money';
import { useMay } from '@/session/me';
import { DateField } from '@/ui/DateField';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { MoneyText } from '@/ui/MoneyText';
import { Page, Section } from '@/ui/Page';
import { Empty, Loaded } from '@/ui/states';
import { clientWipQuery, type JobUnbilled, useDraftInvoice } from './api';
import { InvoicesOf } from './InvoicesOf';

type Grouping = 'job' | 'job_activity' | 'task' | 'entry';

/** One client's unbilled work, job by job: choose what goes on the next invoice. */
export function BillClient() {
  const { clientId } = useParams({ from: '/framed/billing/clients/$clientId' });
  const query = useQuery(clientWipQuery(clientId));
  return (
    <Page
      title={query.data?.client_name ?? 'Client'}
      trail={<Link to="/billing">Billing</Link>}
      facts={
        query.data && (
          <>
            <span>{formatMoney(query.data.unbilled)} unbilled</span>
            <Link to="/clients/$clientId" params={{ clientId }}>
              The client’s page
            </Link>
          </>
        )
      }
    >
      <Loaded query={query} what="This client’s work in progress" skeleton={<Skeleton height={280} />}>
        {({ jobs }) =>
          jobs.length === 0 ? (
            <Empty icon={IconCoin} title="Nothing to bill">
              This client has no approved time that is not billed yet.
            </Empty>
          ) : (
            <Choose clientId={clientId} jobs={jobs} />
          )
        }
      </Loaded>
      <InvoicesOf clientId={clientId} />
    </Page>
  );
}

function Choose({ clientId, jobs }: { clientId: string; jobs: JobUnbilled[] }) {
  const may = useMay()('timebilling:invoices:write');
  const navigate = useNavigate();
  const draft = useDraftInvoice();
  const [left, setLeft] = useState<string[]>([]);
  const [grouping, setGrouping] = useState<Grouping>('job_activity');
  const [until, setUntil] = useState<string | null>(null);
  const billable = jobs.filter(({ items }) => items > 0);
  const chosen = billable.filter(({ job_id }) => !left.includes(job_id));
  const total = sum(chosen.map(({ unbilled }) => unbilled));
  const toggle = (id: string) =>
    setLeft((ids) => (ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id]));
  const create = () =>
    draft.mutate(
      {
        client_id: clientId,
        job_ids: chosen.map(({ job_id }) => job_id),
        group_by: grouping,
        ...(until ? { until } : {}),
      },
      { onSuccess: ({ id }) => navigate({ to: '/billing/invoices/$invoiceId', params: { invoiceId: id } }) },
    );
  return (
    <Section title="Work in progress">
      <div className={list.scroll}>
        <table className={list.table}>
          <thead>
            <tr>
              <th style={{ width: 36 }}>
                <span className="visually-hidden">On the invoice</span>
              </th>
              <th>Job</th>
              <th>Oldest</th>
              <th data-align="right">Time</th>
              <th data-align="right">On drafts</th>
              <th data-align="right">Unbilled</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <tr key={job.job_id}>
                <td>
                  <Checkbox
                    aria-label={`Bill ${job.job_title}`}
                    disabled={job.items === 0 || !may}
                    checked={job.items > 0 && !left.includes(job.job_id)}
                    onChange={() => toggle(job.job_id)}
                  />
                </td>
                <td>
                  <Link to="/work/jobs/$jobId" params={{ jobId: job.job_id }}>
                    {job.job_title}
                  </Link>
                </td>
                <td>
                  <DateText date={job.oldest_day} />
                </td>
                <td data-align="right">{clock(job.billable_seconds)}</td>
                <td data-align="right">
                  <MoneyText money={job.reserved} />
                </td>
                <td data-align="right">
                  <MoneyText money={job.unbilled} />
                </td>
              </tr>
            ))}
          </tbody>
          {total && (
            <tfoot>
              <tr>
                <td />
                <td colSpan={4}>Chosen</td>
                <td data-align="right">
                  <MoneyText money={total} />
                </td>
              </tr>
            </tfoot>
          )}
        </table>
      </div>
      {billable.length === 0 && <p className="quiet">All of it is on drafts already.</p>}
      {may && billable.length > 0 && (
        <Group justify="flex-end" align="end" mt="md" gap="xs">
          <DateField
            label="Work up to"
            placeholder="All days"
            clearable
            w={150}
            value={until}
            onChange={setUntil}
          />
          <Select
            label="Lines"
            w={190}
            allowDeselect={false}
            value={grouping}
            onChange={(value) => setGrouping(value as Grouping)}
            data={[
              { value: 'job', label: 'One a job' },
              { value: 'job_activity', label: 'By job and activity' },
              { value: 'task', label: 'One a task' },
              { value: 'entry', label: 'One a time entry' },
            ]}
          />
          <Button disabled={chosen.length === 0} loading={draft.isPending} onClick={create}>
            Draft an invoice
          </Button>
        </Group>
      )}
    </Section>
  );
}
