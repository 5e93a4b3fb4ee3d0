import { Button, NumberInput, Select } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconX } from '@tabler/icons-react';
import { addsDays, type DateFields, type Draft, isCompletion, noDate } from './draft';
import css from './Editor.module.css';

const anchors = [
  { value: 'period_start', label: 'the period starts' },
  { value: 'period_end', label: 'the period ends' },
  { value: 'client_year_end', label: 'the client’s year end' },
  { value: 'job_start', label: 'the job starts' },
  { value: 'task_completion', label: 'a task is done' },
  { value: 'request_completion', label: 'a request is answered' },
];
const units = [
  { value: 'days', label: 'days' },
  { value: 'business_days', label: 'business days' },
  { value: 'weeks', label: 'weeks' },
  { value: 'months', label: 'months' },
];
const rolls = [
  { value: 'none', label: 'as it falls' },
  { value: 'next', label: 'or the next business day' },
  { value: 'previous', label: 'or the business day before' },
  { value: 'modified_following', label: 'or the next business day of the month' },
];

type Props = {
  form: UseFormReturnType<Draft>;
  path: string;
  value: DateFields;
  label: string;
  steps: { key: string; title: string; kind: 'task' | 'request' }[];
};

/** A relative date as a sentence of choices: "5 | business days | before | the period ends". */
export function DateRuleField({ form, path, value, label, steps }: Props) {
  const set = (part: Partial<DateFields>) => form.setFieldValue(path, { ...value, ...part });
  if (!value.set) {
    return (
      <fieldset className={css.fieldset}>
        <legend>{label}</legend>
        <Button size="xs" variant="default" onClick={() => set({ set: true })}>
          Set a date
        </Button>
      </fieldset>
    );
  }
  const kind = value.anchor === 'task_completion' ? 'task' : 'request';
  return (
    <fieldset className={css.fieldset}>
      <legend>{label}</legend>
      <div className={css.date}>
        <NumberInput
          size="xs"
          w={64}
          min={0}
          max={3660}
          allowDecimal={false}
          aria-label={`${label}: how many`}
          value={value.amount}
          onChange={(amount) => set({ amount: Number(amount) || 0 })}
        />
        <Select
          size="xs"
          w={124}
          allowDeselect={false}
          aria-label={`${label}: unit`}
          data={units}
          value={value.unit}
          onChange={(unit) => set({ unit: unit as DateFields['unit'] })}
        />
        {addsDays(value) && (
          <NumberInput
            size="xs"
            w={84}
            min={-366}
            max={366}
            allowDecimal={false}
            prefix="+ "
            suffix=" d"
            aria-label={`${label}: and so many days`}
            value={value.plus}
            onChange={(plus) => set({ plus: Number(plus) || 0 })}
          />
        )}
        <Select
          size="xs"
          w={88}
          allowDeselect={false}
          aria-label={`${label}: before or after`}
          data={['after', 'before']}
          value={value.direction}
          onChange={(direction) => set({ direction: direction as DateFields['direction'] })}
        />
        <Select
          size="xs"
          w={176}
          allowDeselect={false}
          aria-label={`${label}: what it counts from`}
          data={anchors}
          value={value.anchor}
          onChange={(anchor) => set({ anchor: anchor as DateFields['anchor'], of: '' })}
        />
        {isCompletion(value.anchor) && (
          <Select
            size="xs"
            w={176}
            aria-label={`${label}: which`}
            placeholder="which?"
            data={steps
              .filter((step) => step.kind === kind)
              .map(({ key, title }) => ({ value: key, label: title || key }))}
            value={value.of || null}
            onChange={(of) => set({ of: of ?? '' })}
            error={form.errors[`${path}.of`]}
          />
        )}
        <Select
          size="xs"
          w={200}
          allowDeselect={false}
          aria-label={`${label}: on a free day`}
          data={rolls}
          value={value.roll}
          onChange={(roll) => set({ roll: roll as DateFields['roll'] })}
        />
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          leftSection={<IconX size={14} />}
          onClick={() => form.setFieldValue(path, noDate())}
        >
          No date
        </Button>
      </div>
    </fieldset>
  );
}
