import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { jobWipQuery } from '@/billing/api';
import type { Money } from '@/lib/money';
import { MoneyText } from '@/ui/MoneyText';
import { Section } from '@/ui/Page';
import { Loaded } from '@/ui/states';
import type { Job } from './api';
import css from './JobPage.module.css';

const zero = (money: Money) => /^-?0*(\.0*)?$/.test(money.amount);

/** standard = billed + written down − written up + written off + remaining: always, and shown as such. */
export function JobMoney({ job }: { job: Job }) {
  const query = useQuery(jobWipQuery(job.id));
  return (
    <Section
      title="Money"
      actions={
        <Link to="/billing/clients/$clientId" params={{ clientId: job.client.id }} style={{ fontSize: 13 }}>
          Bill
        </Link>
      }
    >
      <Loaded query={query} what="The job’s money" skeleton={<Skeleton height={120} />}>
        {(wip) => (
          <dl className={css.facts}>
            <Line name="Standard value" money={wip.standard} />
            <Line name="Billed" money={wip.billed} />
            {!zero(wip.written_down) && <Line name="Written down" money={wip.written_down} />}
            {!zero(wip.written_up) && <Line name="Written up" money={wip.written_up} />}
            {!zero(wip.written_off) && <Line name="Written off" money={wip.written_off} />}
            <Line name="Unbilled" money={wip.remaining} sum />
            {wip.cost && <Line name="Cost of time" money={wip.cost} />}
          </dl>
        )}
      </Loaded>
    </Section>
  );
}

function Line({ name, money, sum }: { name: string; money: Money; sum?: boolean }) {
  return (
    <div data-sum={sum || undefined}>
      <dt>{name}</dt>
      <dd data-money>
        <MoneyText money={money} />
      </dd>
    </div>
  );
}
