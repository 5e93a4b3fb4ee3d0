import { Button, Checkbox, Group, NumberInput, Select, Stack, TextInput } from '@mantine/core';
import { IconChecklist, IconPlus } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { body } from '@/api/http';
import { workflow } from '@/api/services';
import { useMay } from '@/session/me';
import { useStaffOptions } from '@/session/staff';
import { DateField } from '@/ui/DateField';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Empty } from '@/ui/states';
import { type Job, type Task, useTick, workChanged } from './api';
import { TaskLine } from './TaskLine';

export function TasksSection({ job }: { job: Job }) {
  const may = useMay();
  const [adding, setAdding] = useState(false);
  const open = job.status !== 'cancelled';
  return (
    <Section
      title="Tasks"
      actions={
        may('workflow:jobs:write') &&
        open && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setAdding(true)}
          >
            Add a task
          </Button>
        )
      }
    >
      {job.tasks.length === 0 && !adding && (
        <Empty icon={IconChecklist} title="No tasks yet">
          Add the first step, and who does it by when.
        </Empty>
      )}
      {job.tasks.length > 0 && (
        <ul className={list.list}>
          {job.tasks.map((task) => (
            <TaskLine key={task.id} task={task} inJob>
              <Checklist task={task} />
            </TaskLine>
          ))}
        </ul>
      )}
      {adding && <AddTask job={job} onDone={() => setAdding(false)} />}
    </Section>
  );
}

function Checklist({ task }: { task: Task }) {
  if (task.checklist.length === 0 || task.status === 'done' || task.status === 'skipped') return null;
  return (
    <Stack gap={6} mt={6} mb={6}>
      {task.checklist.map((line) => (
        <ChecklistLine key={line.key} task={task} line={line} />
      ))}
    </Stack>
  );
}

function ChecklistLine({ task, line: { key, text, done } }: { task: Task; line: Task['checklist'][number] }) {
  const tick = useTick();
  const may = useMay();
  // The box follows the finger; what the service says comes after.
  const [shown, setShown] = useState(done);
  useEffect(() => setShown(done), [done]);
  const change = (ticked: boolean) => {
    setShown(ticked);
    tick.mutate({ task, given: { key, done: ticked } }, { onError: () => setShown(done) });
  };
  return (
    <Checkbox
      size="sm"
      label={text}
      checked={shown}
      disabled={!may('workflow:jobs:act')}
      onChange={(event) => change(event.currentTarget.checked)}
    />
  );
}

function AddTask({ job, onDone }: { job: Job; onDone: () => void }) {
  const queries = useQueryClient();
  const staff = useStaffOptions();
  const [title, setTitle] = useState('');
  const [owner, setOwner] = useState<string | null>(null);
  const [due, setDue] = useState<string | null>(null);
  const [hours, setHours] = useState<number | string>('');
  const add = useMutation({
    mutationFn: () =>
      body(
        workflow.POST('/jobs/{job_id}/tasks', {
          params: { path: { job_id: job.id } },
          body: {
            title: title.trim(),
            owner_id: owner,
            due_on: due,
            budget_minutes: Math.round(Number(hours || 0) * 60),
          },
        }),
      ),
    onSuccess: () => setTitle(''),
    onSettled: () => workChanged(queries),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (title.trim()) add.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" mt="sm" align="end">
        <TextInput
          aria-label="What is to be done"
          placeholder="What is to be done"
          autoFocus
          flex="1 1 220px"
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && onDone()}
        />
        <Select
          aria-label="Owner"
          placeholder="Owner"
          clearable
          searchable
          w={160}
          data={staff}
          value={owner}
          onChange={setOwner}
        />
        <DateField aria-label="Due" placeholder="Due" clearable w={130} value={due} onChange={setDue} />
        <NumberInput
          aria-label="Budget in hours"
          placeholder="Hours"
          min={0}
          max={10000}
          step={0.5}
          w={90}
          value={hours}
          onChange={setHours}
        />
        <Button type="submit" loading={add.isPending}>
          Add
        </Button>
        <Button variant="default" onClick={onDone}>
          Close
        </Button>
      </Group>
    </form>
  );
}
