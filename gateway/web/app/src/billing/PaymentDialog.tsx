import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { explain, fieldErrors } from '@/api/problem';
import { today } from '@/lib/dates';
import { formatMoney, fromUnits, toUnits } from '@/lib/money';
import { DateField } from '@/ui/DateField';
import { said } from '@/ui/toasts';
import { type Invoice, useRecordPayment } from './api';

const methods = [
  { value: 'bank_transfer', label: 'Bank transfer' },
  { value: 'card', label: 'Card' },
  { value: 'direct_debit', label: 'Direct debit' },
  { value: 'cheque', label: 'Cheque' },
  { value: 'cash', label: 'Cash' },
  { value: 'other', label: 'Other' },
] as const;

type Method = (typeof methods)[number]['value'];

export function PaymentDialog({
  invoice,
  opened,
  onClose,
}: {
  invoice: Invoice;
  opened: boolean;
  onClose: () => void;
}) {
  return (
    <Modal opened={opened} onClose={onClose} title={`A payment for ${invoice.number}`}>
      <PaymentForm invoice={invoice} onClose={onClose} />
    </Modal>
  );
}

const PLACES = 4;

/** What of an amount pays the invoice (its open balance at most) and what remains as the client's credit. */
export function split(amount: string, balance: string): { pays: string; credit: string } {
  const [given, open] = [toUnits(amount, PLACES), toUnits(balance, PLACES)];
  // biome-ignore lint/complexity/useMathMinMax: Math.min takes no bigint
  const pays = given < open ? given : open;
  return {
    pays: plain(fromUnits(pays, PLACES), balance),
    credit: plain(fromUnits(given - pays, PLACES), balance),
  };
}

/** Trims to as many decimals as the currency's own figures have, if nothing is lost by it. */
const plain = (amount: string, like: string) => {
  const places = like.split('.')[1]?.length ?? 0;
  const [whole, fraction = ''] = amount.split('.');
  const kept = fraction.replace(/0+$/, '').padEnd(places, '0');
  return kept ? `${whole}.${kept}` : whole;
};

function PaymentForm({ invoice, onClose }: { invoice: Invoice; onClose: () => void }) {
  const record = useRecordPayment();
  const { currency } = invoice.balance;
  const form = useForm({
    initialValues: {
      amount: invoice.balance.amount,
      received_on: today() as string | null,
      method: 'bank_transfer' as Method,
      reference: '',
    },
    validate: {
      amount: (amount) =>
        /^\d+([.,]\d{1,4})?$/.test(amount.trim()) && Number(amount.replace(',', '.')) > 0
          ? null
          : 'An amount above zero, like 450.00',
      received_on: (day) => (day ? null : 'When did it arrive?'),
    },
  });
  const amount = form.values.amount.trim().replace(',', '.');
  const parts = /^\d+(\.\d{1,4})?$/.test(amount) ? split(amount, invoice.balance.amount) : null;
  const credit = parts && Number(parts.credit) > 0 ? parts.credit : null;
  const submit = ({ received_on, method, reference }: typeof form.values) => {
    if (!parts || !received_on) return;
    record.mutate(
      {
        client_id: invoice.client_id,
        amount: { amount, currency },
        received_on,
        method,
        ...(reference.trim() ? { reference: reference.trim() } : {}),
        allocations: [{ invoice_id: invoice.id, amount: { amount: parts.pays, currency } }],
      },
      {
        onSuccess: () => {
          said(`${formatMoney({ amount, currency })} recorded`);
          onClose();
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    );
  };
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md">
        {record.error && <Alert color="red">{explain(record.error)}</Alert>}
        <Group grow align="start">
          <TextInput
            label={`Amount (${currency})`}
            inputMode="decimal"
            data-autofocus
            description={`${formatMoney(invoice.balance)} is open`}
            {...form.getInputProps('amount')}
          />
          <DateField label="Received on" maxDate={today()} {...form.getInputProps('received_on')} />
        </Group>
        {credit && (
          <Text size="sm" c="var(--at-risk)">
            {formatMoney({ amount: credit, currency })} more than is open: it stays as {invoice.client_name}’s
            credit.
          </Text>
        )}
        <Select
          label="How"
          allowDeselect={false}
          data={methods as unknown as { value: string; label: string }[]}
          {...form.getInputProps('method')}
        />
        <TextInput
          label="Reference"
          description="What the bank statement says"
          maxLength={200}
          {...form.getInputProps('reference')}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={record.isPending}>
            Record the payment
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
