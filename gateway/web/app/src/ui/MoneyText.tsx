import { formatAmount, formatMoney, type Money } from '@/lib/money';

/** An amount in tabular figures. In a column that names its currency, `bare` leaves it out. */
export function MoneyText({ money, bare = false }: { money?: Money | null; bare?: boolean }) {
  if (!money) return <span className="quiet">–</span>;
  return <span className="num">{bare ? formatAmount(money) : formatMoney(money)}</span>;
}
