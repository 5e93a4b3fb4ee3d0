import { ActionIcon, Button, MultiSelect, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconChevronDown, IconChevronUp, IconSettings, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { DateRuleField } from './DateRuleField';
import { describeStep } from './describe';
import type { Draft } from './draft';
import css from './Editor.module.css';

export type Step = { key: string; title: string; kind: 'task' | 'request' };
export type StepsProps = { form: UseFormReturnType<Draft>; steps: Step[] };
/** Which step of the draft: the list it is in, and its place there. */
export type StepProps = StepsProps & { list: 'tasks' | 'requests'; index: number };

/** What tasks and requests have alike: a title, a line that sums up the rest, and the rest on demand. */
export function StepEditor({
  placeholder,
  head,
  children,
  ...place
}: StepProps & { placeholder: string; head?: ReactNode; children: ReactNode }) {
  const { form, list, index, steps } = place;
  const step = form.values[list][index];
  const [open, setOpen] = useState(step.title === '');
  const summary = describeStep(step, (key) => steps.find((other) => other.key === key)?.title || key);
  const name = step.title || (list === 'tasks' ? 'this task' : 'this request');
  return (
    <div className={css.step}>
      <div className={css.stepHead}>
        <TextInput
          aria-label="Title"
          placeholder={placeholder}
          flex={1}
          maxLength={200}
          {...form.getInputProps(`${list}.${index}.title`)}
        />
        {head}
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
          {children}
          <div className={css.wide}>
            <MoveButtons {...place} name={name} />
          </div>
        </div>
      )}
    </div>
  );
}

export function StepDue({ form, list, index, steps }: StepProps) {
  const step = form.values[list][index];
  return (
    <div className={css.wide}>
      <DateRuleField
        form={form}
        path={`${list}.${index}.due`}
        value={step.due}
        label="Due"
        steps={steps.filter(({ key }) => key !== step.key)}
      />
    </div>
  );
}

export function StepWaits({
  form,
  list,
  index,
  steps,
  nothing,
  wide,
}: StepProps & { nothing: string; wide?: boolean }) {
  const step = form.values[list][index];
  return (
    <MultiSelect
      className={wide ? css.wide : undefined}
      label="Waits for"
      placeholder={step.after.length > 0 ? undefined : nothing}
      data={steps
        .filter(({ key }) => key !== step.key)
        .map(({ key, title }) => ({ value: key, label: title || key }))}
      {...form.getInputProps(`${list}.${index}.after`)}
    />
  );
}

function MoveButtons({ form, list, index, name }: StepProps & { name: string }) {
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
        disabled={index === form.values[list].length - 1}
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
