import { ActionIcon, Button, Group, Select, Stack, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useStaffOptions } from '@/session/staff';
import { Section } from '@/ui/Page';
import { type Draft, roleName } from './draft';

/** The job roles of the template, and who has each when neither the call, the engagement nor the client says. */
export function RolesEditor({ form }: { form: UseFormReturnType<Draft> }) {
  const staff = useStaffOptions();
  const rename = (index: number, typed: string) => {
    const before = form.values.roles[index].role;
    const role = roleName(typed);
    form.setFieldValue(`roles.${index}.role`, role);
    form.values.tasks.forEach((task, at) => {
      if (before && task.role === before) form.setFieldValue(`tasks.${at}.role`, role);
    });
    if (before && form.values.owner_role === before) form.setFieldValue('owner_role', role);
  };
  return (
    <Section title="Roles">
      <Stack gap="xs">
        {form.values.roles.map(({ id, role }, index) => (
          <Group key={id} gap="xs" wrap="nowrap">
            <TextInput
              aria-label="Role"
              placeholder="preparer"
              w={180}
              defaultValue={role}
              onBlur={(event) => rename(index, event.currentTarget.value)}
              error={form.errors[`roles.${index}.role`]}
            />
            <Select
              aria-label={`Who is ${role || 'it'} by default`}
              placeholder="Nobody by default"
              flex={1}
              clearable
              searchable
              data={staff}
              {...form.getInputProps(`roles.${index}.staff_id`)}
            />
            <ActionIcon
              size={36}
              aria-label={`Remove the role ${role}`}
              onClick={() => form.removeListItem('roles', index)}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
      </Stack>
      <Button
        size="xs"
        variant="default"
        mt="xs"
        leftSection={<IconPlus size={14} />}
        onClick={() => form.insertListItem('roles', { id: crypto.randomUUID(), role: '', staff_id: null })}
      >
        Add a role
      </Button>
    </Section>
  );
}
