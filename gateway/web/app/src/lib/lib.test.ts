import { describe, expect, test } from 'vitest';
import { addDays, periodName, relativeDate, shortDate, startOfWeek } from './dates';
import { clock, inWords, parseDuration, running } from './durations';
import { formatAmount, formatMoney, fromUnits, sum, toUnits } from './money';

describe('dates', () => {
  test('a week starts on the firm’s own first day', () => {
    expect(startOfWeek('2026-11-25')).toBe('2026-11-23');
    expect(startOfWeek('2026-11-22')).toBe('2026-11-16');
    expect(startOfWeek('2026-11-25', 7)).toBe('2026-11-22');
  });

  test('days are counted over a change of the clock', () => {
    expect(addDays('2026-03-28', 2)).toBe('2026-03-30');
    expect(addDays('2026-10-24', 2)).toBe('2026-10-26');
  });

  test('relative words agree with the number', () => {
    expect(relativeDate('2026-12-04', '2026-11-24')).toBe('in 10 days');
    expect(relativeDate('2026-11-23', '2026-11-24')).toBe('yesterday');
    expect(relativeDate('2026-11-21', '2026-11-24')).toBe('3 days ago');
  });

  test('the year is written only when it is another one', () => {
    expect(shortDate('2026-12-04', '2026-11-24')).toBe('Fri 4 Dec');
    expect(shortDate('2027-01-04', '2026-11-24')).toBe('Mon 4 Jan 2027');
  });

  test('periods have the names people use', () => {
    expect(periodName('2026-07-01', '2026-09-30')).toBe('Q3 2026');
    expect(periodName('2026-02-01', '2026-02-28')).toBe('Feb 2026');
    expect(periodName('2026-01-01', '2026-12-31')).toBe('2026');
    expect(periodName('2026-08-01', '2026-10-31')).toBe('Aug–Oct 2026');
    expect(periodName('2025-04-06', '2026-04-05')).toContain('–');
  });
});

describe('durations', () => {
  test.each([
    ['1.5', 5400],
    ['1,5', 5400],
    ['.25', 900],
    ['1:30', 5400],
    ['1h30', 5400],
    ['1h 30m', 5400],
    ['2h', 7200],
    ['90m', 5400],
    ['45 min', 2700],
    ['8', 28800],
  ])('%s is understood', (typed, seconds) => expect(parseDuration(typed)).toBe(seconds));

  test.each(['', 'soon', '1:75', 'h', 'm', '1.2.3'])('“%s” is refused', (typed) =>
    expect(parseDuration(typed)).toBeNull(),
  );

  test('seconds read as hours and minutes', () => {
    expect(clock(5400)).toBe('1:30');
    expect(inWords(150)).toBe('2 h 30 min');
    expect(inWords(45)).toBe('45 min');
  });

  test('what is still running shows its seconds', () => {
    expect([0, 59, 60, 5405, 90_000].map(running)).toEqual([
      '0:00:00',
      '0:00:59',
      '0:01:00',
      '1:30:05',
      '25:00:00',
    ]);
  });
});

describe('money', () => {
  test('a sum of decimal strings is exact', () => {
    const moneys = ['0.10', '0.20', '99999999999999.99'].map((amount) => ({ amount, currency: 'GBP' }));
    expect(sum(moneys)).toEqual({ amount: '100000000000000.29', currency: 'GBP' });
  });

  test('units keep their sign and places', () => {
    expect(toUnits('-1.05', 2)).toBe(-105n);
    expect(fromUnits(-5n, 2)).toBe('-0.05');
    expect(fromUnits(123n, 0)).toBe('123');
  });

  test('a currency keeps its own number of decimals', () => {
    expect(formatMoney({ amount: '1234.50', currency: 'GBP' })).toBe('£1,234.50');
    expect(formatAmount({ amount: '1234', currency: 'JPY' })).toBe('1,234');
  });
});
