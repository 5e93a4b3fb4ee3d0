import { Button, Skeleton, Tabs } from '@mantine/core';
import { IconCoin } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, Navigate } from '@tanstack/react-router';
import { formatMoney } from '@/lib/money';
import { useMay } from '@/session/me';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { MoneyText } from '@/ui/MoneyText';
import { Page } from '@/ui/Page';
import { Empty, Loaded } from '@/ui/states';
import { type ClientWip, wipQuery } from './api';

/** Approved work that is not billed yet, client by client with its age. */
export function Billing() {
  const may = useMay();
  const query = useInfiniteQuery({ ...wipQuery(), enabled: may('timebilling:wip:read') });
  if (!may('timebilling:wip:read')) return <Navigate to="/billing/invoices" replace />;
  return (
    <Page title="Billing" bar={<BillingTabs value="wip" />}>
      <Loaded query={query} what="Work in progress" skeleton={<Skeleton height={320} />}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0) {
            return (
              <Empty icon={IconCoin} title="No work in progress">
                Time becomes work in progress when it is approved. From here it is drafted into invoices.
              </Empty>
            );
          }
          return (
            <>
              <WipTable rows={rows} totals={pages[0].totals.map(formatMoney).join(' + ')} />
              {query.hasNextPage && (
                <Button
                  variant="default"
                  onClick={() => query.fetchNextPage()}
                  loading={query.isFetchingNextPage}
                >
                  More clients
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

export function BillingTabs({ value }: { value: 'wip' | 'invoices' | 'payments' }) {
  const may = useMay();
  return (
    <Tabs value={value} variant="default" w="100%">
      <Tabs.List>
        {may('timebilling:wip:read') && (
          <Tabs.Tab value="wip" renderRoot={(props) => <Link to="/billing" {...props} />}>
            Work in progress
          </Tabs.Tab>
        )}
        <Tabs.Tab value="invoices" renderRoot={(props) => <Link to="/billing/invoices" {...props} />}>
          Invoices
        </Tabs.Tab>
        {may('timebilling:payments:read') && (
          <Tabs.Tab value="payments" renderRoot={(props) => <Link to="/billing/payments" {...props} />}>
            Payments
          </Tabs.Tab>
        )}
      </Tabs.List>
    </Tabs>
  );
}

function WipTable({ rows, totals }: { rows: ClientWip[]; totals: string }) {
  return (
    <div className={list.scroll}>
      <table className={list.table}>
        <thead>
          <tr>
            <th>Client</th>
            <th>Oldest</th>
            <th data-align="right" data-wide>
              0–30 days
            </th>
            <th data-align="right" data-wide>
              31–60
            </th>
            <th data-align="right" data-wide>
              61–90
            </th>
            <th data-align="right" data-wide>
              Over 90
            </th>
            <th data-align="right" data-wide>
              On drafts
            </th>
            <th data-align="right">Unbilled</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.client_id}${row.unbilled.currency}`}>
              <td>
                <Link to="/billing/clients/$clientId" params={{ clientId: row.client_id }}>
                  <strong>{row.client_name}</strong>
                </Link>
              </td>
              <td>
                <DateText date={row.oldest_day} />
              </td>
              <Amount money={row.ageing.days_0_30} />
              <Amount money={row.ageing.days_31_60} />
              <Amount money={row.ageing.days_61_90} />
              <Amount money={row.ageing.days_over_90} />
              <Amount money={row.reserved} />
              <td data-align="right">
                <MoneyText money={row.unbilled} />
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td colSpan={2}>All clients</td>
            <td colSpan={5} data-wide />
            <td data-align="right">{totals}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function Amount({ money }: { money: { amount: string; currency: string } }) {
  const none = Number(money.amount) === 0;
  return (
    <td data-align="right" data-wide>
      {none ? <span className="quiet">–</span> : <MoneyText money={money} bare />}
    </td>
  );
}
