import { Alert, Button, Group, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { explain, fieldErrors } from '@/api/problem';
import { formatMoney } from '@/lib/money';
import { type Invoice, type InvoiceLine, taxCodesQuery, useChangeDraft, useChangeLine } from './api';

type Dialog = { invoice: Invoice; opened: boolean; onClose: () => void };

const isAmount = (amount: string) =>
  /^-?\d+([.,]\d{1,4})?$/.test(amount.trim()) ? null : 'An amount, like 450.00';
const typed = (amount: string) => amount.trim().replace(',', '.');
const reasonNeeded = (differs: boolean, reason: string) =>
  differs && reason.trim().length < 3
    ? 'Say why it is written up or down; it is kept with the figures'
    : null;

/** A draft line's text, tax and amount. A write-up or write-down says why. */
export function LineDialog({ invoice, line, opened, onClose }: Dialog & { line: InvoiceLine }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Change this line">
      <LineForm invoice={invoice} line={line} onClose={onClose} />
    </Modal>
  );
}

function LineForm({ invoice, line, onClose }: { invoice: Invoice; line: InvoiceLine; onClose: () => void }) {
  const change = useChangeLine();
  const codes = useQuery(taxCodesQuery());
  const form = useForm({
    initialValues: {
      description: line.description,
      tax_code_id: line.tax_code_id ?? null,
      net: line.net.amount,
      reason: line.reason ?? '',
    },
    validate: {
      description: (text) => (text.trim() ? null : 'A line needs a text'),
      net: isAmount,
      reason: (reason, { net }) => reasonNeeded(Number(typed(net)) !== Number(line.standard.amount), reason),
    },
  });
  const submit = ({ description, tax_code_id, net, reason }: typeof form.values) => {
    const priced = Number(typed(net)) !== Number(line.net.amount) || reason.trim() !== (line.reason ?? '');
    change.mutate(
      {
        invoice,
        line,
        change: {
          description: description.trim(),
          tax_code_id,
          ...(priced ? { net: { amount: typed(net), currency: line.net.currency } } : {}),
          ...(priced && reason.trim() ? { reason: reason.trim() } : {}),
        },
      },
      { onSuccess: onClose, onError: (error) => form.setErrors(fieldErrors(error)) },
    );
  };
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md">
        {change.error && <Alert color="red">{explain(change.error)}</Alert>}
        <Textarea
          label="Description"
          autosize
          minRows={2}
          maxLength={1000}
          data-autofocus
          {...form.getInputProps('description')}
        />
        <Group grow align="start">
          <TextInput
            label={`Amount (${line.net.currency})`}
            inputMode="decimal"
            description={`Standard value ${formatMoney(line.standard)}`}
            {...form.getInputProps('net')}
          />
          <Select
            label="Tax"
            placeholder="None"
            clearable
            data={(codes.data ?? []).map(({ id, code, label }) => ({
              value: id,
              label: `${code} · ${label}`,
            }))}
            {...form.getInputProps('tax_code_id')}
          />
        </Group>
        <TextInput label="Why the amount differs" maxLength={500} {...form.getInputProps('reason')} />
        <Group justify="flex-end">
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The whole draft written up or down to a round figure, spread over its entries to the cent. */
export function AdjustTotalDialog({ invoice, opened, onClose }: Dialog) {
  return (
    <Modal opened={opened} onClose={onClose} title="Adjust the net total">
      <AdjustForm invoice={invoice} onClose={onClose} />
    </Modal>
  );
}

function AdjustForm({ invoice, onClose }: { invoice: Invoice; onClose: () => void }) {
  const change = useChangeDraft();
  const form = useForm({
    initialValues: { net: invoice.net.amount, reason: '' },
    validate: {
      net: isAmount,
      reason: (reason, { net }) =>
        reasonNeeded(Number(typed(net)) !== Number(invoice.standard.amount), reason),
    },
  });
  const submit = ({ net, reason }: typeof form.values) =>
    change.mutate(
      {
        invoice,
        change: {
          net: { amount: typed(net), currency: invoice.net.currency },
          ...(reason.trim() ? { reason: reason.trim() } : {}),
        },
      },
      { onSuccess: onClose, onError: (error) => form.setErrors(fieldErrors(error)) },
    );
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md">
        {change.error && <Alert color="red">{explain(change.error)}</Alert>}
        <Text c="var(--ink-soft)">
          The difference to the standard value of {formatMoney(invoice.standard)} is spread over all entries
          in proportion.
        </Text>
        <TextInput
          label={`Net total (${invoice.net.currency})`}
          inputMode="decimal"
          data-autofocus
          {...form.getInputProps('net')}
        />
        <TextInput label="Why" maxLength={500} {...form.getInputProps('reason')} />
        <Group justify="flex-end">
          <Button type="submit" loading={change.isPending}>
            Adjust
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
