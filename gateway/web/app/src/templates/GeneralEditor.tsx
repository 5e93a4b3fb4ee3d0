import { Select, Stack, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { sentence } from '@/lib/status';
import { Section } from '@/ui/Page';
import { DateRuleField } from './DateRuleField';
import type { Draft } from './draft';
import type { Step } from './StepEditor';

/** What the job as a whole is called, who owns it and when it is due. */
export function GeneralEditor({ form, steps }: { form: UseFormReturnType<Draft>; steps: Step[] }) {
  const roles = form.values.roles
    .filter(({ role }) => role)
    .map(({ role }) => ({ value: role, label: sentence(role) }));
  return (
    <Section title="The job">
      <Stack gap="md">
        <TextInput
          label="Title of the job"
          description="{template}, {period} and {client} are filled in"
          maxLength={200}
          {...form.getInputProps('title')}
        />
        <Select
          label="Owned by"
          placeholder="The client’s manager"
          clearable
          data={roles}
          value={form.values.owner_role || null}
          onChange={(role) => form.setFieldValue('owner_role', role ?? '')}
          error={form.errors.owner_role}
        />
        <DateRuleField
          form={form}
          path="internal"
          value={form.values.internal}
          label="Internal due date"
          steps={steps}
        />
        <DateRuleField
          form={form}
          path="statutory"
          value={form.values.statutory}
          label="Statutory due date"
          steps={steps}
        />
      </Stack>
    </Section>
  );
}
