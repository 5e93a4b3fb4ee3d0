import { Button, Select, Stack, Textarea } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Section } from '@/ui/Page';
import { keyFor, newRequest } from './draft';
import css from './Editor.module.css';
import { ItemsEditor } from './ItemsEditor';
import { StepDue, StepEditor, type StepsProps, StepWaits } from './StepEditor';

export function RequestsEditor({ form, steps }: StepsProps) {
  const taken = steps.map(({ key }) => key);
  const add = () =>
    form.insertListItem('requests', newRequest(keyFor(`request ${form.values.requests.length + 1}`, taken)));
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

function RequestEditor({ form, index, steps }: StepsProps & { index: number }) {
  const place = { form, steps, index, list: 'requests' as const };
  const path = `requests.${index}`;
  return (
    <StepEditor {...place} placeholder="Bank statements for the period">
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
      <StepDue {...place} />
      <Select
        label="Sent"
        allowDeselect={false}
        data={[
          { value: 'automatically', label: 'By itself, when it can' },
          { value: 'by_hand', label: 'By hand' },
        ]}
        {...form.getInputProps(`${path}.send`)}
      />
      <StepWaits {...place} nothing="Nothing" />
    </StepEditor>
  );
}
