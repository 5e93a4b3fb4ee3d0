import { ActionIcon, Menu } from '@mantine/core';
import { IconBan, IconDots, IconPencil, IconRotate } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { body } from '@/api/http';
import { workflow } from '@/api/services';
import { ask } from '@/ui/ask';
import { type Job, workChanged } from './api';
import { EditJobDialog } from './EditJob';

export function JobMenu({ job }: { job: Job }) {
  const queries = useQueryClient();
  const [editing, setEditing] = useState(false);
  const params = { path: { job_id: job.id }, header: { 'If-Match': `"${job.version}"` } };
  const cancel = useMutation({
    mutationFn: (reason: string) =>
      body(workflow.POST('/jobs/{job_id}/cancel', { params, body: { reason } })),
    onSettled: () => workChanged(queries),
  });
  const reinstate = useMutation({
    mutationFn: () => body(workflow.POST('/jobs/{job_id}/reinstate', { params })),
    onSettled: () => workChanged(queries),
  });
  const cancelAsked = async () => {
    const reason = await ask({
      title: `Cancel “${job.title}”?`,
      text: 'Its open tasks and requests are cancelled with it. You can take it up again later.',
      act: 'Cancel the job',
      danger: true,
      reason: { label: 'Why' },
    });
    if (reason) cancel.mutate(reason);
  };
  return (
    <>
      <Menu position="bottom-end" width={200}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More for this job">
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => setEditing(true)}>
            Title and owner …
          </Menu.Item>
          {job.status === 'cancelled' ? (
            <Menu.Item leftSection={<IconRotate size={16} />} onClick={() => reinstate.mutate()}>
              Take up again
            </Menu.Item>
          ) : (
            <Menu.Item leftSection={<IconBan size={16} />} color="red" onClick={cancelAsked}>
              Cancel the job …
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <EditJobDialog job={job} opened={editing} onClose={() => setEditing(false)} />
    </>
  );
}
