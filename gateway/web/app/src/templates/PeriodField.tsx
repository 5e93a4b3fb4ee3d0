import { Group, Select } from '@mantine/core';
import { addDays, periodName, today } from '@/lib/dates';
import { DateField } from '@/ui/DateField';

export type Period = { start: string; end: string } | null;

const iso = (year: number, month: number) => new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);

/** Months, quarters and years around a day, latest first, as people name them. */
export function commonPeriods(now = today()): { start: string; end: string }[] {
  const [year, month] = now.split('-').map(Number);
  const span = (firstMonth: number, months: number) => ({
    start: iso(year, firstMonth),
    end: addDays(iso(year, firstMonth + months), -1),
  });
  const quarter = Math.floor((month - 1) / 3) * 3;
  return [
    ...[0, -3, 3].map((shift) => span(quarter + shift, 3)),
    ...[0, -1, 1].map((shift) => span(month - 1 + shift, 1)),
    ...[0, -12].map((shift) => span(shift, 12)),
  ];
}

/** A period by its name, or by its two days. */
export function PeriodField({
  value,
  onChange,
  error,
}: {
  value: Period;
  onChange: (period: Period) => void;
  error?: string;
}) {
  const known = commonPeriods();
  const key = (period: { start: string; end: string }) => `${period.start}/${period.end}`;
  const chosen = value && known.find((period) => key(period) === key(value));
  return (
    <>
      <Select
        label="Period"
        placeholder="None"
        clearable
        error={error}
        data={[
          ...known.map((period) => ({ value: key(period), label: periodName(period.start, period.end) })),
          { value: 'own', label: 'Other days …' },
        ]}
        value={chosen ? key(chosen) : value ? 'own' : null}
        onChange={(picked) => {
          if (!picked) return onChange(null);
          const [start, end] = picked === 'own' ? [today(), addDays(today(), 30)] : picked.split('/');
          onChange({ start, end });
        }}
      />
      {value && !chosen && (
        <Group grow>
          <DateField
            label="From"
            value={value.start}
            onChange={(start) => start && onChange({ ...value, start })}
          />
          <DateField label="To" value={value.end} onChange={(end) => end && onChange({ ...value, end })} />
        </Group>
      )}
    </>
  );
}
