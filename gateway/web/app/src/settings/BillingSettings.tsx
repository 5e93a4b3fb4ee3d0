import { Button, Checkbox, Group, NumberInput, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type MutationFunction, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { components } from '@/api/generated/timebilling';
import { body } from '@/api/http';
import { fieldErrors } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { timebilling } from '@/api/services';
import { billingSettingsQuery, taxCodesQuery } from '@/billing/api';
import { today } from '@/lib/dates';
import { inWords } from '@/lib/durations';
import { useMay } from '@/session/me';
import { activitiesQuery } from '@/time/api';
import { ask } from '@/ui/ask';
import { DateField } from '@/ui/DateField';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Loaded, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { FormBody } from './form';

type Schemas = components['schemas'];
type SettingsData = Schemas['Settings'];

function useSettingsAct<Given>(act: MutationFunction<unknown, Given>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => refresh(queries, 'billing-settings', 'tax-codes', 'activities'),
    meta: { quiet },
  });
}

/** How time is rounded and locked, what it is logged on, when invoices are due and how they are taxed. */
export function BillingSettings() {
  const query = useQuery(billingSettingsQuery());
  const may = useMay();
  return (
    <Loaded query={query} what="The settings" skeleton={<Rows count={8} />}>
      {({ data }) => (
        <>
          <Section title="Rounding and terms">
            <Rules key={data.version} settings={data} may={may('timebilling:settings:write')} />
          </Section>
          <Section title="Locked period">
            <LockPeriod settings={data} may={may('timebilling:settings:act')} />
          </Section>
          <Activities may={may('timebilling:settings:write')} />
          <TaxCodes may={may('timebilling:settings:write')} />
        </>
      )}
    </Loaded>
  );
}

/** The usual steps, and the firm's own if it is another. */
function steps(current: number): { value: string; label: string }[] {
  const usual = [1, 60, 300, 360, 600, 900, 1800, 3600];
  const all = usual.includes(current) ? usual : [...usual, current].sort((a, b) => a - b);
  return all.map((seconds) => ({
    value: String(seconds),
    label: seconds === 1 ? 'As it is, not rounded' : stepName(seconds),
  }));
}

const stepName = (seconds: number) => (seconds % 60 === 0 ? inWords(seconds / 60) : `${seconds} seconds`);

function Rules({ settings, may }: { settings: SettingsData; may: boolean }) {
  const codes = useQuery(taxCodesQuery());
  const { rounding } = settings;
  const form = useForm({
    initialValues: {
      increment: String(rounding.increment_seconds),
      minimum: rounding.minimum_seconds / 60,
      direction: rounding.direction,
      per: rounding.per ?? 'entry',
      terms: settings.payment_terms_days,
      tax: settings.default_tax_code_id ?? null,
    },
  });
  const save = useSettingsAct(
    ({ increment, minimum, direction, per, terms, tax }: typeof form.values) =>
      body(
        timebilling.PATCH('/settings', {
          params: { header: { 'If-Match': `"${settings.version}"` } },
          body: {
            rounding: {
              increment_seconds: Number(increment),
              minimum_seconds: Math.round(minimum * 60),
              direction,
              per,
            },
            payment_terms_days: terms,
            default_tax_code_id: tax,
          },
        }),
      ),
    true,
  );
  const submit = (values: typeof form.values) =>
    save.mutate(values, {
      onSuccess: () => said('Saved'),
      onError: (error) => form.setErrors(fieldErrors(error)),
    });
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <FormBody error={save.error} saving={save.isPending} dirty={form.isDirty()} mayWrite={may}>
        <Group grow align="start">
          <Select
            label="Billed in steps of"
            allowDeselect={false}
            data={steps(rounding.increment_seconds)}
            {...form.getInputProps('increment')}
          />
          <Select
            label="Rounded"
            allowDeselect={false}
            data={[
              { value: 'up', label: 'Up' },
              { value: 'nearest', label: 'To the nearest' },
              { value: 'down', label: 'Down' },
            ]}
            {...form.getInputProps('direction')}
          />
          <NumberInput label="At least (minutes)" min={0} max={1440} {...form.getInputProps('minimum')} />
          <Select
            label="What is rounded"
            allowDeselect={false}
            data={[
              { value: 'entry', label: 'Each entry' },
              { value: 'task', label: 'Each task on an invoice' },
            ]}
            {...form.getInputProps('per')}
          />
        </Group>
        <Group grow align="start">
          <NumberInput
            label="Invoices are due after (days)"
            min={0}
            max={365}
            allowDecimal={false}
            {...form.getInputProps('terms')}
          />
          <Select
            label="Tax on new lines"
            placeholder="None"
            clearable
            data={(codes.data ?? []).map(({ id, code, label }) => ({
              value: id,
              label: `${code} · ${label}`,
            }))}
            {...form.getInputProps('tax')}
          />
        </Group>
      </FormBody>
    </form>
  );
}

function LockPeriod({ settings, may }: { settings: SettingsData; may: boolean }) {
  const [day, setDay] = useState<string | null>(settings.locked_until ?? null);
  const lock = useSettingsAct((given: { locked_until: string | null; reason?: string }) =>
    body(timebilling.POST('/settings/lock', { body: given })),
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const back = settings.locked_until && (!day || day < settings.locked_until);
    const reason = back
      ? await ask({
          title: 'Open a locked period?',
          text: 'Time in it can be created and changed again. Your reason is kept.',
          act: 'Open it',
          reason: { label: 'Why' },
        })
      : '';
    if (reason === null) return;
    lock.mutate(
      { locked_until: day, ...(reason ? { reason } : {}) },
      { onSuccess: () => said(day ? 'Locked' : 'Nothing is locked now') },
    );
  };
  return (
    <form onSubmit={submit}>
      <p className="quiet" style={{ margin: '0 0 12px' }}>
        {settings.locked_until ? (
          <>
            Time up to <DateText date={settings.locked_until} /> can’t be created, changed or moved.
          </>
        ) : (
          'Nothing is locked. A closed period keeps its time as it is.'
        )}
      </p>
      {may && (
        <Group gap="xs" align="end">
          <DateField label="Locked up to" clearable maxDate={today()} value={day} onChange={setDay} />
          <Button
            type="submit"
            variant="default"
            loading={lock.isPending}
            disabled={day === (settings.locked_until ?? null)}
          >
            {day || !settings.locked_until ? 'Lock' : 'Lift the lock'}
          </Button>
        </Group>
      )}
    </form>
  );
}

function Activities({ may }: { may: boolean }) {
  const query = useQuery(activitiesQuery());
  const [name, setName] = useState('');
  const [billable, setBillable] = useState(true);
  const add = useSettingsAct((given: { name: string; billable: boolean }) =>
    body(timebilling.POST('/activities', { body: given })),
  );
  const retire = useSettingsAct(({ id, version }: Schemas['Activity']) =>
    body(
      timebilling.PATCH('/activities/{activity_id}', {
        params: { path: { activity_id: id }, header: { 'If-Match': `"${version}"` } },
        body: { active: false },
      }),
    ),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) add.mutate({ name: name.trim(), billable }, { onSuccess: () => setName('') });
  };
  return (
    <Section title="Activities" count={query.data?.length}>
      <Loaded query={query} what="Activities" skeleton={<Rows count={3} />}>
        {(activities) => (
          <ul className={list.list}>
            {activities.map((activity) => (
              <li key={activity.id} className={list.item}>
                <span className={list.main}>{activity.name}</span>
                {!activity.billable && <span className="quiet">Not billable</span>}
                {may && (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="gray"
                    onClick={() => retire.mutate(activity)}
                  >
                    Retire
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {may && (
        <form onSubmit={submit}>
          <Group gap="xs" mt="sm">
            <TextInput
              aria-label="A new activity"
              placeholder="A new activity"
              flex={1}
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Checkbox
              label="Billable"
              checked={billable}
              onChange={(event) => setBillable(event.currentTarget.checked)}
            />
            <Button type="submit" variant="default" loading={add.isPending}>
              Add
            </Button>
          </Group>
        </form>
      )}
    </Section>
  );
}

const categories: { value: Schemas['TaxCategory']; label: string }[] = [
  { value: 'S', label: 'Standard' },
  { value: 'Z', label: 'Zero rated' },
  { value: 'E', label: 'Exempt' },
  { value: 'AE', label: 'Reverse charge' },
  { value: 'O', label: 'Outside the scope' },
];

function TaxCodes({ may }: { may: boolean }) {
  const query = useQuery(taxCodesQuery());
  const [adding, setAdding] = useState(false);
  return (
    <Section
      title="Tax codes"
      actions={
        may &&
        !adding && (
          <Button size="xs" variant="default" onClick={() => setAdding(true)}>
            Add a tax code
          </Button>
        )
      }
    >
      <Loaded query={query} what="Tax codes" skeleton={<Rows count={3} />}>
        {(codes) => (
          <ul className={list.list}>
            {codes.map(({ id, code, label, category, rates, legal_text }) => (
              <li key={id} className={list.item}>
                <div className={list.main}>
                  <strong>{code}</strong> {label}
                  <div className={list.note}>
                    {[categories.find(({ value }) => value === category)?.label, legal_text]
                      .filter(Boolean)
                      .join(' · ')}
                  </div>
                </div>
                <span className="num">{rates.at(-1)?.percent} %</span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {adding && <AddTaxCode onDone={() => setAdding(false)} />}
    </Section>
  );
}

function AddTaxCode({ onDone }: { onDone: () => void }) {
  const form = useForm({
    initialValues: {
      code: '',
      label: 'VAT',
      category: 'S' as Schemas['TaxCategory'],
      percent: '20',
      legal_text: '',
      from: today() as string | null,
    },
  });
  const add = useSettingsAct(
    ({ legal_text, from, ...rest }: typeof form.values) =>
      body(
        timebilling.POST('/tax-codes', {
          body: {
            ...rest,
            from: from as string,
            ...(legal_text.trim() ? { legal_text: legal_text.trim() } : {}),
          },
        }),
      ),
    true,
  );
  return (
    <form
      onSubmit={form.onSubmit((values) =>
        add.mutate(values, { onSuccess: onDone, onError: (error) => form.setErrors(fieldErrors(error)) }),
      )}
      style={{ marginTop: 16 }}
    >
      <FormBody error={add.error} saving={add.isPending} act="Add">
        <Group grow align="start">
          <TextInput
            label="Code"
            placeholder="VAT20"
            required
            withAsterisk={false}
            maxLength={20}
            {...form.getInputProps('code')}
          />
          <TextInput
            label="Name on invoices"
            required
            withAsterisk={false}
            maxLength={60}
            {...form.getInputProps('label')}
          />
        </Group>
        <Group grow align="start">
          <Select
            label="Category"
            allowDeselect={false}
            data={categories}
            {...form.getInputProps('category')}
          />
          <TextInput label="Percent" inputMode="decimal" {...form.getInputProps('percent')} />
          <DateField label="From" {...form.getInputProps('from')} />
        </Group>
        {(form.values.category === 'E' || form.values.category === 'AE') && (
          <TextInput
            label="Legal text"
            description="Printed on invoices; exempt and reverse charge need one"
            maxLength={500}
            {...form.getInputProps('legal_text')}
          />
        )}
      </FormBody>
    </form>
  );
}
