import { describe, expect, test } from 'vitest';
import { split } from './PaymentDialog';

describe('a payment', () => {
  test('pays the open balance and no more; the rest is credit', () => {
    expect(split('500.00', '480.10')).toEqual({ pays: '480.10', credit: '19.90' });
  });

  test('in part pays what it is', () => {
    expect(split('100', '480.10')).toEqual({ pays: '100.00', credit: '0.00' });
  });

  test('keeps a currency without decimals whole', () => {
    expect(split('5000', '4800')).toEqual({ pays: '4800', credit: '200' });
  });

  test('does not lose decimals that the currency has not', () => {
    expect(split('1.2345', '10.00')).toEqual({ pays: '1.2345', credit: '0.00' });
  });
});
