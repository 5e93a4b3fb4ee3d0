import { Group, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { components } from '@/api/generated/identity';
import { body } from '@/api/http';
import { fieldErrors } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { identity } from '@/api/services';
import { countries, currencies, timeZones } from '@/lib/places';
import { useMay } from '@/session/me';
import { Loaded, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { FormBody } from './form';

type FirmData = components['schemas']['Firm'];

const firmQuery = () => queryOptions({ queryKey: ['firm'], queryFn: () => body(identity.GET('/firm')) });

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

export function Firm() {
  const query = useQuery(firmQuery());
  return (
    <Loaded query={query} what="The firm" skeleton={<Rows count={6} />}>
      {(firm) => <FirmForm key={firm.version} firm={firm} />}
    </Loaded>
  );
}

function FirmForm({ firm }: { firm: FirmData }) {
  const may = useMay();
  const queries = useQueryClient();
  const { id: _id, version, ...values } = firm;
  const form = useForm({ initialValues: { ...values, week_start: String(firm.week_start) } });
  const save = useMutation({
    mutationFn: (given: typeof form.values) =>
      body(
        identity.PATCH('/firm', {
          params: { header: { 'If-Match': `"${version}"` } },
          body: { ...given, week_start: Number(given.week_start) },
        }),
      ),
    meta: { quiet: true },
    onSuccess: () => said('Saved'),
    onError: (error) => form.setErrors(fieldErrors(error)),
    onSettled: () => refresh(queries, 'firm', 'me'),
  });
  return (
    <form onSubmit={form.onSubmit((given) => save.mutate(given))}>
      <FormBody
        error={save.error}
        saving={save.isPending}
        dirty={form.isDirty()}
        mayWrite={may('identity:firm:write')}
      >
        <TextInput
          label="Name"
          required
          withAsterisk={false}
          maxLength={200}
          {...form.getInputProps('name')}
        />
        <Group grow align="start">
          <Select
            label="Country"
            searchable
            allowDeselect={false}
            data={countries()}
            {...form.getInputProps('country')}
          />
          <TextInput
            label="Region for public holidays"
            description="Left empty: the whole country"
            maxLength={10}
            {...form.getInputProps('holidays_region')}
          />
        </Group>
        <Group grow align="start">
          <Select
            label="Currency"
            searchable
            allowDeselect={false}
            data={currencies()}
            {...form.getInputProps('currency')}
          />
          <Select
            label="Time zone"
            searchable
            allowDeselect={false}
            data={timeZones()}
            {...form.getInputProps('time_zone')}
          />
        </Group>
        <Group grow align="start">
          <Select
            label="The week starts on"
            allowDeselect={false}
            data={weekdays.map((label, index) => ({ value: String(index + 1), label }))}
            {...form.getInputProps('week_start')}
          />
          <TextInput
            label="Language"
            description="As a tag, like en-GB"
            {...form.getInputProps('language')}
          />
        </Group>
        <Group grow align="start">
          <TextInput
            label="Quiet from"
            type="time"
            description="No mail to clients from here"
            {...form.getInputProps('quiet_from')}
          />
          <TextInput label="Quiet until" type="time" {...form.getInputProps('quiet_until')} />
        </Group>
      </FormBody>
    </form>
  );
}
