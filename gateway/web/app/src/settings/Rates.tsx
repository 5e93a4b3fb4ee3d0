import { Button, Modal, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconCoin, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { components } from '@/api/generated/timebilling';
import { answerOf, body } from '@/api/http';
import { fieldErrors } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { timebilling } from '@/api/services';
import { ClientSelect } from '@/clients/ClientSelect';
import { today } from '@/lib/dates';
import { formatMoney } from '@/lib/money';
import { sentence } from '@/lib/status';
import { useMay, useMe } from '@/session/me';
import { useStaffOptions } from '@/session/staff';
import { activitiesQuery } from '@/time/api';
import { ask } from '@/ui/ask';
import { DateField } from '@/ui/DateField';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Empty, Loaded, Rows } from '@/ui/states';
import { FormBody } from './form';
import { ratesQuery } from './ratesQuery';

type Schemas = components['schemas'];
type Rate = Schemas['Rate'];
type Kind = Schemas['RateKind'];
type Level = Schemas['RateLevel'];

const levels: { value: Level; label: string; costs?: boolean }[] = [
  { value: 'firm', label: 'Everyone, by default', costs: true },
  { value: 'grade', label: 'A grade', costs: true },
  { value: 'staff', label: 'A person', costs: true },
  { value: 'activity', label: 'An activity' },
  { value: 'client_grade', label: 'A client and a grade' },
  { value: 'client_staff', label: 'A client and a person' },
];
const grades = ['partner', 'manager', 'senior', 'junior'].map((value) => ({ value, label: sentence(value) }));

/** Who charges and costs what; the most specific rate of the day wins. */
export function Rates() {
  const [kind, setKind] = useState<Kind>('bill');
  const [adding, setAdding] = useState(false);
  const query = useInfiniteQuery(ratesQuery(kind));
  const may = useMay()('timebilling:rates:write');
  return (
    <Section
      title={kind === 'bill' ? 'What an hour is charged at' : 'What an hour costs the firm'}
      actions={
        <>
          <SegmentedControl
            size="xs"
            aria-label="Which rates"
            value={kind}
            onChange={(value) => setKind(value as Kind)}
            data={[
              { value: 'bill', label: 'Charged' },
              { value: 'cost', label: 'Cost' },
            ]}
          />
          {may && (
            <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
              Set a rate
            </Button>
          )}
        </>
      }
    >
      <p className="quiet" style={{ margin: '0 0 12px' }}>
        The most specific rate of the day counts, in the order of this list. Approved time keeps the rate it
        was approved at.
      </p>
      <Loaded query={query} what="Rates" skeleton={<Rows count={6} />}>
        {({ pages }) => {
          const rates = pages.flatMap((page) => page.items);
          if (rates.length === 0) {
            return (
              <Empty icon={IconCoin} title="No rates yet">
                Without a rate, time can’t be approved. Begin with one for everyone, then one a grade.
              </Empty>
            );
          }
          return <RateTable rates={rates} may={may} />;
        }}
      </Loaded>
      <Modal
        opened={adding}
        onClose={() => setAdding(false)}
        title={kind === 'bill' ? 'Set what is charged' : 'Set a cost rate'}
      >
        <RateForm kind={kind} onClose={() => setAdding(false)} />
      </Modal>
    </Section>
  );
}

function RateTable({ rates, may }: { rates: Rate[]; may: boolean }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: ({ id, version }: Rate) =>
      answerOf(
        timebilling.DELETE('/rates/{rate_id}', {
          params: { path: { rate_id: id }, header: { 'If-Match': `"${version}"` } },
        }),
      ),
    onSettled: () => refresh(queries, 'rates'),
  });
  const removeAsked = async (rate: Rate) => {
    const yes = await ask({
      title: `Remove the rate for ${rate.names || 'everyone'}?`,
      text: 'Approved time keeps what it froze; later approvals use the next rate in order.',
      act: 'Remove',
      danger: true,
    });
    if (yes !== null) remove.mutate(rate);
  };
  return (
    <div className={list.scroll}>
      <table className={list.table}>
        <thead>
          <tr>
            <th>For</th>
            <th>Level</th>
            <th>From</th>
            <th>Until</th>
            <th data-align="right">An hour</th>
            {may && (
              <th>
                <span className="visually-hidden">Remove</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rates.map((rate) => (
            <tr key={rate.id}>
              <td>{rate.names || 'Everyone'}</td>
              <td className="quiet">{sentence(rate.level)}</td>
              <td>
                <DateText date={rate.from} />
              </td>
              <td>
                <DateText date={rate.until} />
              </td>
              <td data-align="right">{formatMoney(rate.rate)}</td>
              {may && (
                <td data-align="right">
                  <Button size="compact-xs" variant="subtle" color="gray" onClick={() => removeAsked(rate)}>
                    Remove
                  </Button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RateForm({ kind, onClose }: { kind: Kind; onClose: () => void }) {
  const queries = useQueryClient();
  const { data: me } = useMe();
  const staff = useStaffOptions();
  const activities = useQuery(activitiesQuery());
  const form = useForm({
    initialValues: {
      level: 'grade' as Level,
      client_id: null as string | null,
      staff_id: null as string | null,
      activity_id: null as string | null,
      grade: 'senior' as Schemas['Grade'],
      amount: '',
      from: today() as string | null,
    },
    validate: {
      amount: (amount) => (/^\d+([.,]\d{1,4})?$/.test(amount.trim()) ? null : 'An amount, like 180.00'),
      client_id: (id, { level }) => (level.startsWith('client') && !id ? 'Which client?' : null),
      staff_id: (id, { level }) => (level.endsWith('staff') && !id ? 'Who?' : null),
      activity_id: (id, { level }) => (level === 'activity' && !id ? 'Which activity?' : null),
      from: (day) => (day ? null : 'From which day?'),
    },
  });
  const { level } = form.values;
  const save = useMutation({
    mutationFn: ({ amount, from, ...keys }: typeof form.values) =>
      body(
        timebilling.POST('/rates/set', {
          body: {
            from: from as string,
            rates: [
              {
                kind,
                level: keys.level,
                rate: { amount: amount.trim().replace(',', '.'), currency: me?.firm.currency ?? '' },
                ...keysOf(keys),
              },
            ],
          },
        }),
      ),
    meta: { quiet: true },
    onSuccess: onClose,
    onError: (error) => form.setErrors(fieldErrors(error)),
    onSettled: () => refresh(queries, 'rates'),
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <FormBody error={save.error} saving={save.isPending} act="Set the rate">
        <Select
          label="For"
          allowDeselect={false}
          data={levels.filter(({ costs }) => kind === 'bill' || costs)}
          {...form.getInputProps('level')}
        />
        {level.startsWith('client') && (
          <ClientSelect
            value={form.values.client_id}
            onChange={(id) => form.setFieldValue('client_id', id)}
            error={form.errors.client_id as string | undefined}
          />
        )}
        {level.endsWith('staff') && (
          <Select label="Person" searchable data={staff} {...form.getInputProps('staff_id')} />
        )}
        {level.endsWith('grade') && (
          <Select label="Grade" allowDeselect={false} data={grades} {...form.getInputProps('grade')} />
        )}
        {level === 'activity' && (
          <Select
            label="Activity"
            data={(activities.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            {...form.getInputProps('activity_id')}
          />
        )}
        <TextInput
          label={`An hour (${me?.firm.currency})`}
          inputMode="decimal"
          {...form.getInputProps('amount')}
        />
        <DateField
          label="From"
          description="The rate before it ends the day before."
          {...form.getInputProps('from')}
        />
      </FormBody>
    </form>
  );
}

type Keys = {
  level: Level;
  client_id: string | null;
  staff_id: string | null;
  activity_id: string | null;
  grade: Schemas['Grade'];
};

/** Exactly the keys that the level has; the service refuses more. */
export function keysOf({ level, client_id, staff_id, activity_id, grade }: Keys) {
  return {
    ...(level.startsWith('client') && client_id ? { client_id } : {}),
    ...(level.endsWith('staff') && staff_id ? { staff_id } : {}),
    ...(level.endsWith('grade') ? { grade } : {}),
    ...(level === 'activity' && activity_id ? { activity_id } : {}),
  };
}
