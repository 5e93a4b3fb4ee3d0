import { Skeleton } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { clientWipQuery, invoicesQuery } from '@/billing/api';
import { sum } from '@/lib/money';
import { MoneyText } from '@/ui/MoneyText';
import { Section } from '@/ui/Page';
import { Loaded } from '@/ui/states';
import { Fact } from '@/work/JobFacts';
import css from '@/work/JobPage.module.css';

export function ClientMoney({ clientId }: { clientId: string }) {
  const wip = useQuery(clientWipQuery(clientId));
  const invoices = useInfiniteQuery(invoicesQuery({ client_id: clientId }));
  const latest = invoices.data?.pages[0].items ?? [];
  const owed = sum(
    latest.filter(({ status }) => !['draft', 'void', 'paid'].includes(status)).map(({ balance }) => balance),
  );
  return (
    <Section
      title="Money"
      actions={
        <Link to="/billing/clients/$clientId" params={{ clientId }} style={{ fontSize: 13 }}>
          Bill
        </Link>
      }
    >
      <Loaded query={wip} what="Work in progress" skeleton={<Skeleton height={96} />}>
        {({ unbilled, reserved }) => (
          <dl className={css.facts}>
            <Fact name="Unbilled">
              <MoneyText money={unbilled} />
            </Fact>
            <Fact name="On drafts">
              <MoneyText money={reserved} />
            </Fact>
            {owed && (
              <Fact name="Owed to us">
                <MoneyText money={owed} />
              </Fact>
            )}
            {latest.slice(0, 4).map(({ id, number, total }) => (
              <Fact
                key={id}
                name={
                  <Link to="/billing/invoices/$invoiceId" params={{ invoiceId: id }}>
                    {number ?? 'Draft'}
                  </Link>
                }
              >
                <MoneyText money={total} />
              </Fact>
            ))}
          </dl>
        )}
      </Loaded>
    </Section>
  );
}
