import {
  Alert,
  Button,
  Checkbox,
  Group,
  Modal,
  MultiSelect,
  SegmentedControl,
  Select,
  Stack,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { explain, fieldErrors } from '@/api/problem';
import { countries, currencies } from '@/lib/places';
import { useMe } from '@/session/me';
import { useStaffOptions } from '@/session/staff';
import { type Client, type ClientNew, useChangeClient, useCreateClient } from './api';

type Props = { opened: boolean; onClose: () => void; client?: Client };

/** A new client, or the facts of one that exists. */
export function ClientDialog({ opened, onClose, client }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={client ? client.name : 'New client'} size="lg">
      <ClientForm client={client} onClose={onClose} />
    </Modal>
  );
}

function initial(client: Client | undefined, firm: { currency: string; country: string } | undefined) {
  return {
    kind: client?.kind ?? 'organisation',
    name: client?.name ?? '',
    number: client?.number ?? '',
    status: 'active' as 'active' | 'prospect',
    currency: client?.currency ?? firm?.currency ?? '',
    year_end: client?.year_end ?? '',
    partner_id: client?.partner?.id ?? null,
    manager_id: client?.manager?.id ?? null,
    tags: client?.tags ?? [],
    address: {
      line1: client?.address?.line1 ?? '',
      line2: client?.address?.line2 ?? '',
      city: client?.address?.city ?? '',
      postcode: client?.address?.postcode ?? '',
      country: client?.address?.country ?? firm?.country ?? '',
    },
    private: Boolean(client?.visible_to),
    visible_to: (client?.visible_to ?? []).flatMap((person) => (person ? [person.id] : [])),
  };
}

type Values = ReturnType<typeof initial>;

/** What the service is told: empty fields are left out or, when they were emptied, null. */
export function toClient(values: Values, me: string): ClientNew {
  const { address, number, year_end, ...rest } = values;
  const { line1, line2, city, postcode, country } = address;
  const hasAddress = line1.trim() !== '' && city.trim() !== '';
  return {
    kind: rest.kind,
    name: rest.name.trim(),
    status: rest.status,
    currency: rest.currency,
    partner_id: rest.partner_id,
    manager_id: rest.manager_id,
    tags: rest.tags,
    ...(number.trim() ? { number: number.trim() } : {}),
    year_end: year_end || null,
    address: hasAddress
      ? { line1, city, country, ...(line2 ? { line2 } : {}), ...(postcode ? { postcode } : {}) }
      : null,
    visible_to: rest.private ? [...new Set([...rest.visible_to, me])] : null,
  };
}

function ClientForm({ client, onClose }: { client?: Client; onClose: () => void }) {
  const { data: me } = useMe();
  const staff = useStaffOptions();
  const navigate = useNavigate();
  const create = useCreateClient();
  const change = useChangeClient();
  const form = useForm({
    initialValues: initial(client, me?.firm),
    validate: {
      name: (name) => (name.trim() ? null : 'A client needs a name'),
      year_end: (day) => (day === '' || /^\d\d-\d\d$/.test(day) ? null : 'Month and day, like 03-31'),
      address: {
        city: (city, { address }) => (address.line1 && !city ? 'An address needs a city' : null),
        line1: (line1, { address }) => (address.city && !line1 ? 'An address needs a street' : null),
      },
    },
  });
  const error = create.error ?? change.error;
  const onError = (refused: unknown) => form.setErrors(fieldErrors(refused));
  const submit = (values: Values) => {
    const given = toClient(values, me?.id ?? '');
    if (client) {
      const { status: _status, ...rest } = given;
      return change.mutate({ client, change: rest }, { onSuccess: onClose, onError });
    }
    return create.mutate(given, {
      onSuccess: ({ id }) => {
        onClose();
        navigate({ to: '/clients/$clientId', params: { clientId: id } });
      },
      onError,
    });
  };
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md">
        {error && (
          <Alert color="red" role="alert">
            {explain(error)}
          </Alert>
        )}
        <SegmentedControl
          aria-label="Kind"
          data={[
            { value: 'organisation', label: 'Organisation' },
            { value: 'person', label: 'Person' },
          ]}
          {...form.getInputProps('kind')}
        />
        <TextInput label="Name" data-autofocus maxLength={200} {...form.getInputProps('name')} />
        <Group grow align="start">
          <TextInput
            label="Number"
            description={client ? undefined : 'Left empty, the next free one is taken'}
            maxLength={32}
            {...form.getInputProps('number')}
          />
          {client ? (
            <TextInput label="Financial year ends" placeholder="03-31" {...form.getInputProps('year_end')} />
          ) : (
            <Select
              label="Status"
              allowDeselect={false}
              data={[
                { value: 'active', label: 'Active' },
                { value: 'prospect', label: 'Prospect' },
              ]}
              {...form.getInputProps('status')}
            />
          )}
        </Group>
        <Group grow align="start">
          <Select label="Partner" clearable searchable data={staff} {...form.getInputProps('partner_id')} />
          <Select label="Manager" clearable searchable data={staff} {...form.getInputProps('manager_id')} />
        </Group>
        <Group grow align="start">
          <Select
            label="Currency"
            allowDeselect={false}
            searchable
            data={currencies()}
            {...form.getInputProps('currency')}
          />
          {!client && (
            <TextInput label="Financial year ends" placeholder="03-31" {...form.getInputProps('year_end')} />
          )}
        </Group>
        <TextInput label="Address" placeholder="Street and number" {...form.getInputProps('address.line1')} />
        <Group grow align="start">
          <TextInput aria-label="City" placeholder="City" {...form.getInputProps('address.city')} />
          <TextInput
            aria-label="Postcode"
            placeholder="Postcode"
            {...form.getInputProps('address.postcode')}
          />
          <Select
            aria-label="Country"
            searchable
            allowDeselect={false}
            data={countries()}
            {...form.getInputProps('address.country')}
          />
        </Group>
        <TagsInput
          label="Tags"
          placeholder={form.values.tags.length > 0 ? undefined : 'Type a tag, then Enter'}
          {...form.getInputProps('tags')}
        />
        <Checkbox
          label="Private"
          description="Only the people named see this client, its jobs, documents, time and money."
          {...form.getInputProps('private', { type: 'checkbox' })}
        />
        {form.values.private && (
          <MultiSelect
            label="Visible to"
            description="You are always among them."
            searchable
            data={staff}
            {...form.getInputProps('visible_to')}
          />
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending || change.isPending}>
            {client ? 'Save' : 'Add the client'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
