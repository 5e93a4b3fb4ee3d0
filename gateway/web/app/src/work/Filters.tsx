import { Button, MultiSelect, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lookOf } from '@/lib/status';
import { useMe } from '@/session/me';
import { useStaffOptions } from '@/session/staff';
import { type JobStatus, stagesQuery } from './api';
import type { WorkSearch } from './search';

const open: JobStatus[] = ['overdue', 'at_risk', 'blocked', 'waiting_for_client', 'on_track'];

type Props = { search: WorkSearch; onChange: (part: Partial<WorkSearch>) => void; compact: boolean };

export function Filters({ search, onChange, compact }: Props) {
  const { data: me } = useMe();
  const staff = useStaffOptions();
  const stages = useQuery(stagesQuery());
  const filtered = search.owner || search.status || search.stage || search.client;
  return (
    <>
      <Select
        size="xs"
        w={compact ? undefined : 170}
        aria-label="Owner"
        placeholder="Everyone’s"
        clearable
        searchable
        value={search.owner ?? null}
        onChange={(owner) => onChange({ owner: owner ?? undefined })}
        data={[
          { value: 'me', label: 'Mine' },
          { value: 'nobody', label: 'Nobody’s' },
          ...staff.filter(({ value }) => value !== me?.id),
        ]}
      />
      <MultiSelect
        size="xs"
        miw={150}
        aria-label="Status"
        placeholder={search.status ? undefined : 'Any status'}
        clearable
        value={search.status ?? []}
        onChange={(status) => onChange({ status: status.length > 0 ? (status as JobStatus[]) : undefined })}
        data={open.map((status) => ({ value: status, label: lookOf(status).word }))}
      />
      {search.view === 'list' && (
        <Select
          size="xs"
          w={compact ? undefined : 150}
          aria-label="Stage"
          placeholder="Any stage"
          clearable
          value={search.stage ?? null}
          onChange={(stage) => onChange({ stage: stage ?? undefined })}
          data={(stages.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        />
      )}
      {filtered && (
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          onClick={() =>
            onChange({ owner: undefined, status: undefined, stage: undefined, client: undefined })
          }
        >
          Show all
        </Button>
      )}
    </>
  );
}
