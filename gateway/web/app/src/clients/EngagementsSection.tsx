import { Alert, Button, Group, Modal, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { explain, fieldErrors } from '@/api/problem';
import { today } from '@/lib/dates';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { DateField } from '@/ui/DateField';
import { DateText } from '@/ui/DateText';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { Loaded, Rows } from '@/ui/states';
import {
  type Client,
  type Engagement,
  type EngagementNew,
  engagementsQuery,
  type FeeTerms,
  useCloseEngagement,
  useOpenEngagement,
} from './api';
import { feeInWords, feeKinds, needsAmount, needsWords } from './fee';

/** What was agreed: the service, the time it runs, the fee. */
export function EngagementsSection({ client }: { client: Client }) {
  const may = useMay();
  const query = useQuery(engagementsQuery(client.id));
  const [opening, setOpening] = useState(false);
  return (
    <Section
      title="Engagements"
      actions={
        may('clients:engagements:write') &&
        client.status !== 'former' && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setOpening(true)}
          >
            Open an engagement
          </Button>
        )
      }
    >
      <Loaded query={query} what="Engagements" skeleton={<Rows count={2} />}>
        {(engagements) =>
          engagements.length === 0 ? (
            <p className="quiet" style={{ margin: 0 }}>
              Nothing is agreed in writing yet.
            </p>
          ) : (
            <ul className={list.list}>
              {engagements.map((engagement) => (
                <Row key={engagement.id} engagement={engagement} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <Modal
        opened={opening}
        onClose={() => setOpening(false)}
        title={`An engagement with ${client.name}`}
        size="lg"
      >
        <OpenEngagement client={client} onClose={() => setOpening(false)} />
      </Modal>
    </Section>
  );
}

function Row({ engagement }: { engagement: Engagement }) {
  const may = useMay();
  const close = useCloseEngagement();
  const closeAsked = async () => {
    const reason = await ask({
      title: `Close “${engagement.title}”?`,
      text: 'It ends today. Jobs made under it stay.',
      act: 'Close it',
      reason: { label: 'Why' },
    });
    if (reason) close.mutate({ id: engagement.id, ends_on: today(), reason });
  };
  return (
    <li className={list.item}>
      <div className={list.main}>
        <div className={list.title}>
          {engagement.title}
          {engagement.status === 'closed' && <Status value="closed" />}
        </div>
        <div className={list.note}>
          {engagement.service} · {feeInWords(engagement.fee)} · from <DateText date={engagement.starts_on} />
          {engagement.ends_on && (
            <>
              {' to '}
              <DateText date={engagement.ends_on} />
            </>
          )}
        </div>
      </div>
      {may('clients:engagements:act') && engagement.status === 'open' && (
        <Button size="xs" variant="subtle" color="gray" onClick={closeAsked} loading={close.isPending}>
          Close
        </Button>
      )}
    </li>
  );
}

const empty = {
  title: '',
  service: '',
  starts_on: today(),
  ends_on: null as string | null,
  fee: {
    kind: 'hourly' as FeeTerms['kind'],
    amount: '',
    interval: 'monthly' as NonNullable<FeeTerms['interval']>,
    description: '',
  },
};

export function toEngagement(
  { fee, ...rest }: typeof empty,
  client: { id: string; currency: string },
): EngagementNew {
  const { kind, amount, interval, description } = fee;
  return {
    ...rest,
    title: rest.title.trim(),
    service: rest.service.trim().toLowerCase().replaceAll(' ', '_'),
    client_id: client.id,
    fee: {
      kind,
      ...(kind !== 'hourly' && amount.trim()
        ? { amount: { amount: amount.trim().replace(',', '.'), currency: client.currency } }
        : {}),
      ...(kind === 'recurring' ? { interval } : {}),
      ...(description.trim() ? { description: description.trim() } : {}),
    },
  };
}

function OpenEngagement({ client, onClose }: { client: Client; onClose: () => void }) {
  const open = useOpenEngagement();
  const form = useForm({
    initialValues: empty,
    validate: {
      title: (title) => (title.trim() ? null : 'Give it a title'),
      service: (service) =>
        /^[a-z][a-z0-9_ -]*$/i.test(service.trim()) ? null : 'One word for the kind of work, e.g. vat',
      fee: {
        amount: (amount, { fee }) =>
          needsAmount(fee.kind) && !/^\d+([.,]\d{1,4})?$/.test(amount.trim())
            ? 'An amount, like 450.00'
            : null,
        description: (words, { fee }) =>
          needsWords(fee.kind) && !words.trim() ? 'Say what was agreed' : null,
      },
    },
  });
  const { kind } = form.values.fee;
  const submit = (values: typeof empty) =>
    open.mutate(toEngagement(values, client), {
      onSuccess: onClose,
      onError: (error) => form.setErrors(fieldErrors(error)),
    });
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md">
        {open.error && <Alert color="red">{explain(open.error)}</Alert>}
        <Group grow align="start">
          <TextInput
            label="Title"
            placeholder="VAT returns"
            data-autofocus
            maxLength={200}
            {...form.getInputProps('title')}
          />
          <TextInput label="Service" placeholder="vat" maxLength={40} {...form.getInputProps('service')} />
        </Group>
        <Group grow align="start">
          <DateField label="From" {...form.getInputProps('starts_on')} />
          <DateField label="To" placeholder="Open-ended" clearable {...form.getInputProps('ends_on')} />
        </Group>
        <Select label="Fee" allowDeselect={false} data={feeKinds} {...form.getInputProps('fee.kind')} />
        {kind !== 'hourly' && (
          <Group grow align="start">
            <TextInput
              label={`Amount (${client.currency})`}
              inputMode="decimal"
              {...form.getInputProps('fee.amount')}
            />
            {kind === 'recurring' && (
              <Select
                label="Every"
                allowDeselect={false}
                data={[
                  { value: 'monthly', label: 'Month' },
                  { value: 'quarterly', label: 'Quarter' },
                  { value: 'yearly', label: 'Year' },
                ]}
                {...form.getInputProps('fee.interval')}
              />
            )}
          </Group>
        )}
        <Textarea
          label="In words"
          autosize
          minRows={2}
          maxLength={1000}
          {...form.getInputProps('fee.description')}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={open.isPending}>
            Open the engagement
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
