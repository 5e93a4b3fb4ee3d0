import { Button } from '@mantine/core';
import { IconCash } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sentence } from '@/lib/status';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { MoneyText } from '@/ui/MoneyText';
import { Page } from '@/ui/Page';
import { Empty, Loaded, Rows } from '@/ui/states';
import { paymentsQuery } from './api';
import { BillingTabs } from './Billing';

/** Money received and what it paid. */
export function Payments() {
  const query = useInfiniteQuery(paymentsQuery());
  return (
    <Page title="Billing" bar={<BillingTabs value="payments" />}>
      <Loaded query={query} what="Payments" skeleton={<Rows count={8} />}>
        {({ pages }) => {
          const payments = pages.flatMap((page) => page.items);
          if (payments.length === 0) {
            return (
              <Empty icon={IconCash} title="No payments yet">
                Record a payment from the invoice it pays.
              </Empty>
            );
          }
          return (
            <div className={list.scroll}>
              <table className={list.table}>
                <thead>
                  <tr>
                    <th>Received</th>
                    <th>Client</th>
                    <th>How</th>
                    <th>For</th>
                    <th data-align="right">Unapplied</th>
                    <th data-align="right">Amount</th>
                  </tr>
                </thead>
                <tbody>
                  {payments.map((payment) => (
                    <tr key={payment.id}>
                      <td>
                        <DateText date={payment.received_on} />
                      </td>
                      <td>
                        <Link to="/clients/$clientId" params={{ clientId: payment.client_id }}>
                          {payment.client_name}
                        </Link>
                      </td>
                      <td>{[sentence(payment.method), payment.reference].filter(Boolean).join(', ')}</td>
                      <td>
                        {payment.allocations.map(({ invoice_id, number }, index) => (
                          <span key={invoice_id}>
                            {index > 0 && ', '}
                            <Link to="/billing/invoices/$invoiceId" params={{ invoiceId: invoice_id }}>
                              {number}
                            </Link>
                          </span>
                        ))}
                      </td>
                      <td data-align="right">
                        <MoneyText money={payment.unapplied} />
                      </td>
                      <td data-align="right">
                        <MoneyText money={payment.amount} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {query.hasNextPage && (
                <Button
                  mt="md"
                  variant="default"
                  onClick={() => query.fetchNextPage()}
                  loading={query.isFetchingNextPage}
                >
                  Earlier payments
                </Button>
              )}
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}
