import { formatMoney } from '@/lib/money';
import type { FeeTerms } from './api';

const every = { monthly: 'a month', quarterly: 'a quarter', yearly: 'a year' } as const;

/** The fee arrangement in words: "£450.00 a quarter". */
export function feeInWords({ kind, amount, interval, description }: FeeTerms): string {
  const money = amount ? formatMoney(amount) : '';
  const words = {
    hourly: 'By the hour',
    capped: `By the hour, at most ${money}`,
    fixed: `${money} fixed`,
    recurring: `${money} ${interval ? every[interval] : ''}`,
    milestone: `${money} in stages`,
    retainer: `Retainer of ${money}`,
    contingent: `Contingent${money && `, ${money}`}`,
  }[kind];
  return [words.trim(), description].filter(Boolean).join(' · ');
}

export const feeKinds: { value: FeeTerms['kind']; label: string }[] = [
  { value: 'hourly', label: 'By the hour' },
  { value: 'capped', label: 'By the hour, capped' },
  { value: 'fixed', label: 'Fixed' },
  { value: 'recurring', label: 'Recurring' },
  { value: 'milestone', label: 'In stages' },
  { value: 'retainer', label: 'Retainer' },
  { value: 'contingent', label: 'Contingent' },
];

export const needsAmount = (kind: FeeTerms['kind']) => !['hourly', 'contingent'].includes(kind);
export const needsWords = (kind: FeeTerms['kind']) => ['milestone', 'contingent'].includes(kind);
