// Countries, currencies and time zones as the browser knows them (ISO 3166-1, ISO 4217, IANA).

type Option = { value: string; label: string };

const alpha = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
const byLabel = (a: Option, b: Option) => a.label.localeCompare(b.label);

/** Codes that the browser has a name for; those that are no longer in use have none of their own. */
export function countries(): Option[] {
  const names = new Intl.DisplayNames('en-GB', { type: 'region', fallback: 'none' });
  const retired = new Set([
    'AN',
    'BU',
    'CS',
    'DD',
    'FX',
    'NT',
    'QO',
    'QU',
    'SU',
    'TP',
    'YD',
    'YU',
    'ZR',
    'EU',
    'EZ',
    'UN',
    'ZZ',
    'XA',
    'XB',
    'UK',
    'DY',
    'HV',
    'NH',
    'RH',
    'VD',
    'AC',
    'CP',
    'DG',
    'EA',
    'IC',
    'TA',
    'CQ',
  ]);
  return alpha
    .flatMap((first) => alpha.map((second) => first + second))
    .filter((code) => !retired.has(code) && names.of(code))
    .map((value) => ({ value, label: names.of(value) as string }))
    .sort(byLabel);
}

export function currencies(): Option[] {
  const names = new Intl.DisplayNames('en-GB', { type: 'currency' });
  return Intl.supportedValuesOf('currency').map((value) => ({
    value,
    label: `${value} · ${names.of(value)}`,
  }));
}

export const timeZones = (): string[] => [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])];

const euro = 'AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK AD MC SM VA ME XK'.split(' ');
const own: Record<string, string> = {
  GB: 'GBP',
  US: 'USD',
  CA: 'CAD',
  AU: 'AUD',
  NZ: 'NZD',
  CH: 'CHF',
  LI: 'CHF',
  SE: 'SEK',
  NO: 'NOK',
  DK: 'DKK',
  PL: 'PLN',
  CZ: 'CZK',
  HU: 'HUF',
  RO: 'RON',
  JP: 'JPY',
  CN: 'CNY',
  HK: 'HKD',
  SG: 'SGD',
  IN: 'INR',
  ZA: 'ZAR',
  AE: 'AED',
  IL: 'ILS',
  MX: 'MXN',
  BR: 'BRL',
  TR: 'TRY',
  IM: 'GBP',
  JE: 'GBP',
  GG: 'GBP',
};

/** The likeliest currency of a country, as a first guess in a form. */
export const currencyOf = (country: string): string =>
  euro.includes(country) ? 'EUR' : (own[country] ?? 'USD');
