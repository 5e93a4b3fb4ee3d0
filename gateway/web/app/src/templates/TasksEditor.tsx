import { Button, NumberInput, Select, Stack, TagsInput, Textarea } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { sentence } from '@/lib/status';
import { Section } from '@/ui/Page';
import { keyFor, newTask } from './draft';
import css from './Editor.module.css';
import { StepDue, StepEditor, type StepsProps, StepWaits } from './StepEditor';

export function TasksEditor({ form, steps }: StepsProps) {
  const taken = steps.map(({ key }) => key);
  const add = () =>
    form.insertListItem('tasks', newTask(keyFor(`task ${form.values.tasks.length + 1}`, taken)));
  return (
    <Section title="Tasks" count={form.values.tasks.length}>
      <Stack gap="xs">
        {form.values.tasks.map((task, index) => (
          <TaskEditor key={task.id} form={form} index={index} steps={steps} />
        ))}
      </Stack>
      <Button size="xs" variant="default" mt="xs" leftSection={<IconPlus size={14} />} onClick={add}>
        Add a task
      </Button>
    </Section>
  );
}

function TaskEditor({ form, index, steps }: StepsProps & { index: number }) {
  const place = { form, steps, index, list: 'tasks' as const };
  const path = `tasks.${index}`;
  return (
    <StepEditor {...place} placeholder="What is done" head={<RoleAndBudget form={form} index={index} />}>
      <StepDue {...place} />
      <StepWaits {...place} nothing="Nothing: it can begin at once" wide />
      <Textarea
        className={css.wide}
        label="How it is done"
        autosize
        minRows={1}
        maxLength={5000}
        {...form.getInputProps(`${path}.description`)}
      />
      <TagsInput
        className={css.wide}
        label="Checklist"
        placeholder="A line, then Enter"
        splitChars={[]}
        {...form.getInputProps(`${path}.checklist`)}
      />
    </StepEditor>
  );
}

function RoleAndBudget({ form, index }: Pick<StepsProps, 'form'> & { index: number }) {
  const roles = form.values.roles
    .filter(({ role }) => role)
    .map(({ role }) => ({ value: role, label: sentence(role) }));
  return (
    <>
      <Select
        aria-label="Role"
        placeholder="Who"
        w={140}
        clearable
        data={roles}
        {...form.getInputProps(`tasks.${index}.role`)}
        value={form.values.tasks[index].role || null}
        onChange={(role) => form.setFieldValue(`tasks.${index}.role`, role ?? '')}
      />
      <NumberInput
        aria-label="Budget in hours"
        placeholder="h"
        w={72}
        min={0}
        max={10000}
        step={0.25}
        decimalScale={2}
        {...form.getInputProps(`tasks.${index}.hours`)}
      />
    </>
  );
}
