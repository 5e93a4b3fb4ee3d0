import { ActionIcon, Button, MultiSelect, Select, Stack, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconPlus, IconSettings } from '@tabler/icons-react';
import { useState } from 'react';
import { Section } from '@/ui/Page';
import { DateRuleField } from './DateRuleField';
import { describeStep } from './describe';
import { type Draft, keyFor, newRequest } from './draft';
import css from './Editor.module.css';
import { ItemsEditor } from './ItemsEditor';
import { MoveButtons, type Step } from './TasksEditor';

type Props = { form: UseFormReturnType<Draft>; steps: Step[] };

export function RequestsEditor({ form, steps }: Props) {
  const add = () =>
    form.insertListItem(
      'requests',
      newRequest(
        keyFor(
          `request ${form.values.requests.length + 1}`,
          steps.map(({ key }) => key),
        ),
      ),
    );
  return (
    <Section title="Asked of the client" count={form.values.requests.length || undefined}>
      <Stack gap="xs">
        {form.values.requests.map((request, index) => (
          <RequestEditor key={request.id} form={form} index={index} steps={steps} />
        ))}
      </Stack>
      <Button size="xs" variant="default" mt="xs" leftSection={<IconPlus size={14} />} onClick={add}>
        Add a request
      </Button>
    </Section>
  );
}

function RequestEditor({ form, index, steps }: Props & { index: number }) {
  const request = form.values.requests[index];
  const [open, setOpen] = useState(request.title === '');
  const path = `requests.${index}`;
  const summary = describeStep(request, (key) => steps.find((step) => step.key === key)?.title || key);
  const name = request.title || 'this request';
  return (
    <div className={css.step}>
      <div className={css.stepHead}>
        <TextInput
          aria-label="Title"
          placeholder="Bank statements for the period"
          flex={1}
          maxLength={200}
          {...form.getInputProps(`${path}.title`)}
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
          <Textarea
            className={css.wide}
            label="Message"
            autosize
            minRows={2}
            maxLength={5000}
            {...form.getInputProps(`${path}.message`)}
          />
          <div className={css.wide}>
            <ItemsEditor form={form} path={`${path}.items`} />
          </div>
          <div className={css.wide}>
            <DateRuleField
              form={form}
              path={`${path}.due`}
              value={request.due}
              label="Due"
              steps={steps.filter(({ key }) => key !== request.key)}
            />
          </div>
          <Select
            label="Sent"
            allowDeselect={false}
            data={[
              { value: 'automatically', label: 'By itself, when it can' },
              { value: 'by_hand', label: 'By hand' },
            ]}
            {...form.getInputProps(`${path}.send`)}
          />
          <MultiSelect
            label="Waits for"
            placeholder={request.after.length > 0 ? undefined : 'Nothing'}
            data={steps
              .filter(({ key }) => key !== request.key)
              .map(({ key, title }) => ({ value: key, label: title || key }))}
            {...form.getInputProps(`${path}.after`)}
          />
          <div className={css.wide}>
            <MoveButtons
              form={form}
              list="requests"
              index={index}
              length={form.values.requests.length}
              name={name}
            />
          </div>
        </div>
      )}
    </div>
  );
}
