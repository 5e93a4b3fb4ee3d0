import { Alert, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { body } from '@/api/http';
import { explain } from '@/api/problem';
import { workflow } from '@/api/services';
import { useStaffOptions } from '@/session/staff';
import { type Job, workChanged } from './api';

export function EditJobDialog({ job, opened, onClose }: { job: Job; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Title and owner">
      <EditJob job={job} onClose={onClose} />
    </Modal>
  );
}

function EditJob({ job, onClose }: { job: Job; onClose: () => void }) {
  const queries = useQueryClient();
  const staff = useStaffOptions();
  const [title, setTitle] = useState(job.title);
  const [owner, setOwner] = useState(job.owner?.id ?? null);
  const save = useMutation({
    mutationFn: () =>
      body(
        workflow.PATCH('/jobs/{job_id}', {
          params: { path: { job_id: job.id }, header: { 'If-Match': `"${job.version}"` } },
          body: { title: title.trim(), owner_id: owner },
        }),
      ),
    meta: { quiet: true },
    onSuccess: onClose,
    onSettled: () => workChanged(queries),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {save.error && <Alert color="red">{explain(save.error)}</Alert>}
        <TextInput
          label="Title"
          required
          withAsterisk={false}
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Select
          label="Owner"
          placeholder="Nobody"
          clearable
          searchable
          data={staff}
          value={owner}
          onChange={setOwner}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
