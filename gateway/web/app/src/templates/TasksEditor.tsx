import {
  ActionIcon,
  Button,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconChevronDown, IconChevronUp, IconPlus, IconSettings, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { sentence } from '@/lib/status';
import { Section } from '@/ui/Page';
import { DateRuleField } from './DateRuleField';
import { describeStep } from './describe';
import { type Draft, keyFor, newTask } from './draft';
import css from './Editor.module.css';

export type Step = { key: string; title: string; kind: 'task' | 'request' };
type Props = { form: UseFormReturnType<Draft>; steps: Step[] };

export function TasksEditor({ form, steps }: Props) {
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

function TaskEditor({ form, index, steps }: Props & { index: number }) {
  const task = form.values.tasks[index];
  const [open, setOpen] = useState(task.title === '');
  const roles = form.values.roles
    .filter(({ role }) => role)
    .map(({ role }) => ({ value: role, label: sentence(role) }));
  const path = `tasks.${index}`;
  const summary = describeStep(task, (key) => steps.find((step) => step.key === key)?.title || key);
  const name = task.title || 'this task';
  return (
    <div className={css.step}>
      <div className={css.stepHead}>
        <TextInput
          aria-label="Title"
          placeholder="What is done"
          flex={1}
          maxLength={200}
          {...form.getInputProps(`${path}.title`)}
        />
        <Select
          aria-label="Role"
          placeholder="Who"
          w={140}
          clearable
          data={roles}
          {...form.getInputProps(`${path}.role`)}
          value={task.role || null}
          onChange={(role) => form.setFieldValue(`${path}.role`, role ?? '')}
        />
        <NumberInput
          aria-label="Budget in hours"
          placeholder="h"
          w={72}
          min={0}
          max={10000}
          step={0.25}
          decimalScale={2}
          {...form.getInputProps(`${path}.hours`)}
        />
        <ActionIcon
          size={36}
          aria-label={`Details of ${name}`}
          aria-expanded={open}
          variant={open ? 'light' : 'subtle'}
          onClick={() => setOpen(!open)}
        >
          <IconSettings size={16} />
        </ActionIcon>
      </div>
      {!open && summary && <div className={css.summary}>{summary}</div>}
      {open && (
        <div className={css.stepBody}>
          <div className={css.wide}>
            <DateRuleField
              form={form}
              path={`${path}.due`}
              value={task.due}
              label="Due"
              steps={steps.filter(({ key }) => key !== task.key)}
            />
          </div>
          <MultiSelect
            className={css.wide}
            label="Waits for"
            placeholder={task.after.length > 0 ? undefined : 'Nothing: it can begin at once'}
            data={steps
              .filter(({ key }) => key !== task.key)
              .map(({ key, title }) => ({ value: key, label: title || key }))}
            {...form.getInputProps(`${path}.after`)}
          />
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
          <div className={css.wide}>
            <MoveButtons
              form={form}
              list="tasks"
              index={index}
              length={form.values.tasks.length}
              name={name}
            />
          </div>
        </div>
      )}
    </div>
  );
}

export function MoveButtons({
  form,
  list,
  index,
  length,
  name,
}: {
  form: UseFormReturnType<Draft>;
  list: 'tasks' | 'requests';
  index: number;
  length: number;
  name: string;
}) {
  return (
    <div style={{ display: 'flex', gap: 8 }}>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconChevronUp size={14} />}
        disabled={index === 0}
        onClick={() => form.reorderListItem(list, { from: index, to: index - 1 })}
      >
        Up
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconChevronDown size={14} />}
        disabled={index === length - 1}
        onClick={() => form.reorderListItem(list, { from: index, to: index + 1 })}
      >
        Down
      </Button>
      <Button
        size="xs"
        variant="subtle"
        color="red"
        leftSection={<IconTrash size={14} />}
        onClick={() => form.removeListItem(list, index)}
        aria-label={`Remove ${name}`}
        ml="auto"
      >
        Remove
      </Button>
    </div>
  );
}
