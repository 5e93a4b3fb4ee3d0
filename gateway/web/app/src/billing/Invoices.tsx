import { Select } from '@mantine/core';
import { IconReceipt } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { formatMoney } from '@/lib/money';
import { lookOf } from '@/lib/status';
import { type Column, DataGrid } from '@/ui/DataGrid';
import { DateText } from '@/ui/DateText';
import { MoneyText } from '@/ui/MoneyText';
import { Page } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { Empty, Loaded, Rows } from '@/ui/states';
import { TwoLines } from '@/ui/TwoLines';
import { type InvoiceStatus, type InvoiceSummary, invoicesQuery } from './api';
import { BillingTabs } from './Billing';
import { invoiceStatuses } from './status';

const columns: Column<InvoiceSummary>[] = [
  {
    key: 'number',
    header: 'Number',
    width: '120px',
    cell: ({ id, number }) => (
      <Link
        to="/billing/invoices/$invoiceId"
        params={{ invoiceId: id }}
        tabIndex={-1}
        style={{ textDecoration: 'none', fontWeight: 600 }}
      >
        {number ?? 'Draft'}
      </Link>
    ),
  },
  {
    key: 'client',
    header: 'Client',
    width: 'minmax(200px, 2fr)',
    cell: ({ client_name }) => <span className="truncate">{client_name}</span>,
  },
  { key: 'status', header: 'Status', width: '120px', cell: ({ status }) => <Status value={status} /> },
  { key: 'issued', header: 'Issued', width: '120px', cell: ({ issued_on }) => <DateText date={issued_on} /> },
  {
    key: 'due',
    header: 'Due',
    width: '120px',
    cell: ({ due_on, status }) => <DateText date={due_on} late={status === 'overdue'} />,
  },
  {
    key: 'total',
    header: 'Total',
    width: '120px',
    align: 'right',
    cell: ({ total }) => <MoneyText money={total} />,
  },
  {
    key: 'balance',
    header: 'Open',
    width: '120px',
    align: 'right',
    cell: ({ balance }) => <MoneyText money={balance} />,
  },
];

export function Invoices() {
  const { status } = useSearch({ from: '/framed/billing/invoices' });
  const navigate = useNavigate({ from: '/billing/invoices' });
  const query = useInfiniteQuery({ ...invoicesQuery({ status }), placeholderData: (before) => before });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <Page
      title="Billing"
      fill
      bar={
        <>
          <BillingTabs value="invoices" />
          <Select
            size="xs"
            w={150}
            aria-label="Status"
            placeholder="Any status"
            clearable
            value={status ?? null}
            onChange={(chosen) =>
              navigate({ search: { status: (chosen as InvoiceStatus) ?? undefined }, replace: true })
            }
            data={invoiceStatuses.map((value) => ({ value, label: lookOf(value).word }))}
          />
        </>
      }
    >
      <Loaded query={query} what="Invoices" skeleton={<Rows count={10} />}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0) {
            return (
              <Empty
                icon={IconReceipt}
                title={status ? `No invoice is ${lookOf(status).word.toLowerCase()}` : 'No invoices yet'}
              >
                Invoices are drafted from a client’s work in progress.
              </Empty>
            );
          }
          return (
            <DataGrid
              label="Invoices"
              columns={columns}
              rows={rows}
              rowKey={({ id }) => id}
              href={({ id }) => `/billing/invoices/${id}`}
              onEnd={more}
              total={hasNextPage ? -1 : rows.length}
              card={(invoice) => (
                <TwoLines
                  title={invoice.client_name}
                  state={<Status value={invoice.status} />}
                  note={invoice.number ?? 'Draft'}
                  end={<span className="num">{formatMoney(invoice.total)}</span>}
                />
              )}
            />
          );
        }}
      </Loaded>
    </Page>
  );
}
