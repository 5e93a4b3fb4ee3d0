import { SegmentedControl } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMay } from '@/session/me';
import { LinkButton } from '@/ui/LinkButton';
import { Page } from '@/ui/Page';
import { BoardView } from './BoardView';
import { Filters } from './Filters';
import { JobList } from './JobList';
import type { WorkSearch } from './search';

/** All open work: as a board to move it along, or as a list to look it through. */
export function Work() {
  const search = useSearch({ from: '/framed/work' });
  const navigate = useNavigate({ from: '/work' });
  const may = useMay();
  const change = (part: Partial<WorkSearch>) =>
    navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false });
  const narrow = useMediaQuery('(max-width: 48em)') ?? false;
  return (
    <Page
      title="Work"
      fill
      actions={
        may('workflow:jobs:write') && (
          <LinkButton to="/work/new" leftSection={<IconPlus size={16} />}>
            Start a job
          </LinkButton>
        )
      }
      bar={
        <>
          <SegmentedControl
            size="xs"
            aria-label="View"
            value={search.view ?? 'board'}
            onChange={(view) => change({ view: view === 'list' ? 'list' : undefined, stage: undefined })}
            data={[
              { value: 'board', label: 'Board' },
              { value: 'list', label: 'List' },
            ]}
          />
          <Filters search={search} onChange={change} compact={narrow} />
        </>
      }
    >
      {search.view === 'list' ? <JobList search={search} /> : <BoardView search={search} />}
    </Page>
  );
}
