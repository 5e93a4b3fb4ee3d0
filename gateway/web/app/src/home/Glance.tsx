import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { moneyOverviewQuery } from '@/billing/api';
import { formatMoney } from '@/lib/money';
import { lookOf } from '@/lib/status';
import { useMay } from '@/session/me';
import { Section } from '@/ui/Page';
import { Loaded } from '@/ui/states';
import { overviewQuery } from '@/work/api';
import css from './Home.module.css';

const shown = ['overdue', 'at_risk', 'blocked', 'waiting_for_client', 'on_track'] as const;

/** How many jobs are in which derived status, each number opening to its jobs. */
export function Glance() {
  const overview = useQuery(overviewQuery());
  return (
    <Section title="The firm at a glance">
      <Loaded query={overview} what="The overview" skeleton={<Skeleton height={82} />}>
        {({ counts }) => (
          <div className={css.tiles}>
            {shown.map((status) => (
              <Tile key={status} status={status} count={counts[status]} />
            ))}
          </div>
        )}
      </Loaded>
      <MoneyLine />
    </Section>
  );
}

function Tile({ status, count }: { status: (typeof shown)[number]; count: number }) {
  const { word, tone, icon: Icon } = lookOf(status);
  return (
    <Link
      to="/work"
      search={{ view: 'list', status: [status] }}
      className={css.tile}
      data-tone={tone}
      data-zero={count === 0 || undefined}
    >
      <span className={css.figure}>{count}</span>
      <span className={css.word}>
        <Icon size={16} stroke={2} aria-hidden />
        {word}
      </span>
    </Link>
  );
}

function MoneyLine() {
  const may = useMay();
  const { data } = useQuery({ ...moneyOverviewQuery(), enabled: may('timebilling:overview:read') });
  const mine = data?.currencies[0];
  if (!mine) return null;
  return (
    <div className={css.money}>
      <Link to="/billing">
        Work in progress <strong>{formatMoney(mine.wip)}</strong>
      </Link>
      <Link to="/billing/invoices" search={{}}>
        Owed to us <strong>{formatMoney(mine.debtors)}</strong>
      </Link>
      <span>
        Billed this month <strong>{formatMoney(mine.billed_this_month)}</strong>
      </span>
      <span>
        Received this month <strong>{formatMoney(mine.received_this_month)}</strong>
      </span>
    </div>
  );
}
