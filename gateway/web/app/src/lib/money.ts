export type Money = { amount: string; currency: string };

/** "£1,234.50". Amounts are decimal strings; formatting is the only place they become numbers. */
export function formatMoney(money: Money): string {
  return new Intl.NumberFormat('en-GB', { style: 'currency', currency: money.currency }).format(
    decimal(money.amount),
  );
}

/** "1,234.50": for columns that name their currency once. */
export function formatAmount(money: Money): string {
  const digits = new Intl.NumberFormat('en-GB', {
    style: 'currency',
    currency: money.currency,
  }).resolvedOptions();
  return new Intl.NumberFormat('en-GB', {
    minimumFractionDigits: digits.minimumFractionDigits,
    maximumFractionDigits: digits.maximumFractionDigits,
  }).format(decimal(money.amount));
}

// Intl formats a decimal string exactly; its type just does not say so yet.
const decimal = (amount: string) => amount as unknown as number;

/** Σ of amounts in one currency, exact: counted in the last decimal as whole numbers. */
export function sum(moneys: Money[]): Money | null {
  if (moneys.length === 0) return null;
  const places = Math.max(...moneys.map((money) => money.amount.split('.')[1]?.length ?? 0));
  const total = moneys.reduce((units, money) => units + toUnits(money.amount, places), 0n);
  return { amount: fromUnits(total, places), currency: moneys[0].currency };
}

export function toUnits(amount: string, places: number): bigint {
  const negative = amount.startsWith('-');
  const [whole, fraction = ''] = amount.replace('-', '').split('.');
  const units = BigInt(whole + fraction.padEnd(places, '0').slice(0, places));
  return negative ? -units : units;
}

export function fromUnits(units: bigint, places: number): string {
  const sign = units < 0n ? '-' : '';
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
  return places === 0 ? sign + digits : `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
