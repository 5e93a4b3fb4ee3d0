import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { isProblem } from '@/api/problem';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { failed } from '@/ui/toasts';
import { type Job, type JobRow, stagesQuery, useMoveJob } from './api';

/** The stage the job stands in; choosing another moves it. */
export function StageSelect({ job }: { job: Job }) {
  const stages = useQuery(stagesQuery());
  const move = useMoveJob();
  const may = useMay();
  const choose = (id: string | null) => {
    const stage = stages.data?.find((one) => one.id === id);
    if (!stage || id === job.stage.id) return;
    const row: JobRow = { ...job, stage_id: job.stage.id };
    move.mutate(
      { job: row, stage },
      {
        onError: async (error) => {
          if (!isProblem(error) || error.code !== 'job_has_open_tasks') return failed(error);
          const yes = await ask({
            title: `Finish “${job.title}”?`,
            text: 'Tasks that are still open will be skipped.',
            act: 'Skip them and finish',
          });
          if (yes !== null) move.mutate({ job: row, stage, skip_open_tasks: true }, { onError: failed });
        },
      },
    );
  };
  return (
    <Select
      w={150}
      aria-label="Stage"
      allowDeselect={false}
      disabled={!may('workflow:jobs:act') || job.status === 'cancelled' || move.isPending}
      value={move.isPending ? (move.variables?.stage.id ?? job.stage.id) : job.stage.id}
      onChange={choose}
      data={(stages.data ?? [job.stage]).map(({ id, name }) => ({ value: id, label: name }))}
    />
  );
}
