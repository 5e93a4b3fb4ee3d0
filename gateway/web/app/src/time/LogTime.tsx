import { Alert, Button, Checkbox, Group, Modal, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { createStore, useStore } from '@mantine/store';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { explain, isProblem } from '@/api/problem';
import { today } from '@/lib/dates';
import { clock, parseDuration } from '@/lib/durations';
import { DateField } from '@/ui/DateField';
import { said } from '@/ui/toasts';
import { jobQuery } from '@/work/api';
import { activitiesQuery, type TimeEntry, useAddTime, useChangeTime } from './api';
import { JobSelect } from './JobSelect';

/** What is known already: the day, the job, or the entry to be changed. */
type Given = { day?: string; jobId?: string; taskId?: string; entry?: TimeEntry };

const store = createStore<{ given: Given | null }>({ given: null });

/** From anywhere: the form that logs time. */
export const useLogTime = () => ({ open: (given: Given) => store.setState({ given }) });

const close = () => store.setState({ given: null });

export function LogTimeDialog() {
  const { given } = useStore(store);
  return (
    <Modal opened={given !== null} onClose={close} title={given?.entry ? 'Change this entry' : 'Log time'}>
      {given && <LogTimeForm given={given} />}
    </Modal>
  );
}

function LogTimeForm({
  given: { day: givenDay, jobId: givenJob, taskId: givenTask, entry },
}: {
  given: Given;
}) {
  const [day, setDay] = useState(entry?.day ?? givenDay ?? today());
  const [jobId, setJobId] = useState(entry?.job_id ?? givenJob ?? null);
  const [taskId, setTaskId] = useState(entry?.task_id ?? givenTask ?? null);
  const [activityId, setActivityId] = useState(entry?.activity_id ?? null);
  const [duration, setDuration] = useState(entry ? clock(entry.seconds) : '');
  const [narrative, setNarrative] = useState(entry?.narrative ?? '');
  const [billable, setBillable] = useState(entry?.billable ?? true);
  const [tried, setTried] = useState(false);
  const add = useAddTime();
  const change = useChangeTime();
  const job = useQuery({ ...jobQuery(jobId ?? ''), enabled: Boolean(jobId) });
  const activities = useQuery(activitiesQuery());

  const seconds = parseDuration(duration);
  const saving = add.isPending || change.isPending;
  const error = add.error ?? change.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!seconds || !jobId) return;
    const fields = {
      job_id: jobId,
      task_id: taskId,
      activity_id: activityId,
      day,
      seconds,
      narrative: narrative.trim(),
      billable,
    };
    const onSuccess = () => {
      said(`${clock(seconds)} logged`);
      close();
    };
    if (entry) change.mutate({ entry, change: fields }, { onSuccess });
    else add.mutate(fields, { onSuccess });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {error && (
          <Alert color="red" role="alert">
            {explain(error)}
            {isProblem(error) &&
              error.code === 'period_locked' &&
              ' Choose a later day, or ask for the lock to be lifted.'}
          </Alert>
        )}
        <Group grow align="start">
          <TextInput
            label="Time"
            placeholder="1.5 or 1:30 or 45m"
            data-autofocus
            value={duration}
            onChange={(event) => setDuration(event.currentTarget.value)}
            description={seconds ? `${clock(seconds)} h` : 'Hours, or minutes with an m'}
            error={tried && !seconds ? 'Write it as 1.5, 1:30 or 45m' : undefined}
          />
          <DateField label="Day" value={day} onChange={(date) => date && setDay(date)} />
        </Group>
        <JobSelect
          value={jobId}
          known={
            entry
              ? { id: entry.job_id, title: entry.job_title, client: entry.client_name }
              : job.data && { id: job.data.id, title: job.data.title, client: job.data.client.name }
          }
          onChange={(id) => {
            setJobId(id);
            setTaskId(null);
          }}
          error={tried && !jobId ? 'Choose the job the time was for' : undefined}
        />
        <Select
          label="Task"
          placeholder={jobId ? 'None in particular' : 'Choose a job first'}
          disabled={!job.data}
          clearable
          searchable
          data={(job.data?.tasks ?? []).map(({ id, title }) => ({ value: id, label: title }))}
          value={taskId}
          onChange={setTaskId}
        />
        {(activities.data?.length ?? 0) > 0 && (
          <Select
            label="Activity"
            placeholder="None in particular"
            clearable
            data={activities.data?.map(({ id, name }) => ({ value: id, label: name }))}
            value={activityId}
            onChange={(id) => {
              setActivityId(id);
              setBillable(activities.data?.find((activity) => activity.id === id)?.billable ?? true);
            }}
          />
        )}
        <Textarea
          label="What was done"
          description="Clients may read this on their invoice."
          autosize
          minRows={2}
          maxLength={2000}
          value={narrative}
          onChange={(event) => setNarrative(event.currentTarget.value)}
        />
        <Group justify="space-between">
          <Checkbox
            label="Billable"
            checked={billable}
            onChange={(event) => setBillable(event.currentTarget.checked)}
          />
          <Button type="submit" loading={saving}>
            {entry ? 'Save' : 'Log time'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
