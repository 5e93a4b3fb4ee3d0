import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { MoneyText } from '@/ui/MoneyText';
import { Section } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { Loaded, Rows } from '@/ui/states';
import { invoicesQuery } from './api';

/** The client's invoices and drafts. */
export function InvoicesOf({ clientId }: { clientId: string }) {
  const query = useInfiniteQuery(invoicesQuery({ client_id: clientId }));
  return (
    <Section title="Invoices">
      <Loaded query={query} what="Invoices" skeleton={<Rows count={3} />}>
        {({ pages }) => {
          const invoices = pages.flatMap((page) => page.items);
          if (invoices.length === 0) {
            return (
              <p className="quiet" style={{ margin: 0 }}>
                None yet.
              </p>
            );
          }
          return (
            <div className={list.scroll}>
              <table className={list.table}>
                <thead>
                  <tr>
                    <th>Number</th>
                    <th>Status</th>
                    <th>Issued</th>
                    <th>Due</th>
                    <th data-align="right">Total</th>
                    <th data-align="right">Open</th>
                  </tr>
                </thead>
                <tbody>
                  {invoices.map((invoice) => (
                    <tr key={invoice.id}>
                      <td>
                        <Link to="/billing/invoices/$invoiceId" params={{ invoiceId: invoice.id }}>
                          <strong>{invoice.number ?? 'Draft'}</strong>
                        </Link>
                      </td>
                      <td>
                        <Status value={invoice.status} />
                      </td>
                      <td>
                        <DateText date={invoice.issued_on} />
                      </td>
                      <td>
                        <DateText date={invoice.due_on} late={invoice.status === 'overdue'} />
                      </td>
                      <td data-align="right">
                        <MoneyText money={invoice.total} />
                      </td>
                      <td data-align="right">
                        <MoneyText money={invoice.balance} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          );
        }}
      </Loaded>
    </Section>
  );
}
