import {
  Alert,
  Button,
  Checkbox,
  Group,
  Modal,
  MultiSelect,
  Stack,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { body } from '@/api/http';
import { explain, fieldErrors } from '@/api/problem';
import { workflow } from '@/api/services';
import { ItemsEditor, newItem, toItem } from '@/templates/ItemsEditor';
import { DateField } from '@/ui/DateField';
import { type Job, workChanged } from './api';

export function AskClientDialog({
  job,
  opened,
  onClose,
}: {
  job: Job;
  opened: boolean;
  onClose: () => void;
}) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Ask ${job.client.name} for something`} size="lg">
      <AskClient job={job} onClose={onClose} />
    </Modal>
  );
}

function AskClient({ job, onClose }: { job: Job; onClose: () => void }) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: {
      title: '',
      message: '',
      due_on: null as string | null,
      items: [newItem()],
      blocks: [] as string[],
      send: true,
    },
    validate: { title: (title) => (title.trim() ? null : 'Say what it is about') },
  });
  const create = useMutation({
    mutationFn: ({ items, ...rest }: typeof form.values) =>
      body(
        workflow.POST('/jobs/{job_id}/requests', {
          params: { path: { job_id: job.id } },
          body: { ...rest, items: items.map(toItem) },
        }),
      ),
    meta: { quiet: true },
    onSuccess: onClose,
    onError: (error) => form.setErrors(fieldErrors(error)),
    onSettled: () => workChanged(queries),
  });
  const open = job.tasks.filter(({ status }) => status === 'not_started' || status === 'in_progress');
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <Stack gap="md">
        {create.error && <Alert color="red">{explain(create.error)}</Alert>}
        <TextInput
          label="Title"
          placeholder="Bank statements for the quarter"
          data-autofocus
          maxLength={200}
          {...form.getInputProps('title')}
        />
        <Textarea label="Message" autosize minRows={2} maxLength={5000} {...form.getInputProps('message')} />
        <ItemsEditor form={form} path="items" />
        <Group grow align="start">
          <DateField label="Due" clearable {...form.getInputProps('due_on')} />
          <MultiSelect
            label="Tasks that wait for it"
            placeholder={form.values.blocks.length > 0 ? undefined : 'None'}
            data={open.map(({ id, title }) => ({ value: id, label: title }))}
            {...form.getInputProps('blocks')}
          />
        </Group>
        <Group justify="space-between">
          <Checkbox label="Send it at once" {...form.getInputProps('send', { type: 'checkbox' })} />
          <Button type="submit" loading={create.isPending}>
            {form.values.send ? 'Send' : 'Keep as a draft'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
