import { useMantineColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight } from '@mantine/spotlight';
import {
  IconBriefcase,
  IconBuildings,
  IconMoon,
  IconSearch,
  IconSun,
  IconUser,
  type TablerIcon,
} from '@tabler/icons-react';
import { useQueries } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '@/session/me';
import { places } from './nav';
import { searchClients, searchJobs } from './search';

export type Found = {
  id: string;
  kind: 'client' | 'contact' | 'job';
  title: string;
  detail: string;
  href: string;
};

type Action = { id: string; label: string; description?: string; icon: TablerIcon; run: () => void };

const icons = { client: IconBuildings, contact: IconUser, job: IconBriefcase };

/** Ctrl-K: any client, contact or job by a few letters, and every place and action. Services are asked side by side. */
export function Palette() {
  const [typed, setTyped] = useState('');
  const [words] = useDebouncedValue(typed.trim(), 120);
  const { found, searching } = useFound(words);
  const actions = useActions(typed);
  const groups = [
    { label: 'Found', actions: found },
    { label: 'Go to', actions },
  ].filter((group) => group.actions.length > 0);

  return (
    <Spotlight.Root
      query={typed}
      onQueryChange={setTyped}
      shortcut={['mod + K']}
      scrollable
      maxHeight={420}
      clearQueryOnClose
      transitionProps={{ duration: 80 }}
    >
      <Spotlight.Search
        placeholder="A client, a contact, a job, or where to go"
        aria-label="Search"
        leftSection={<IconSearch size={18} />}
      />
      <Spotlight.ActionsList>
        {groups.map((group) => (
          <Spotlight.ActionsGroup key={group.label} label={group.label}>
            {group.actions.map(({ id, label, description, icon: Icon, run }) => (
              <Spotlight.Action
                key={id}
                label={label}
                description={description}
                leftSection={<Icon size={18} stroke={1.75} />}
                onClick={run}
              />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length === 0 && (
          <Spotlight.Empty>{searching ? 'Searching …' : `Nothing is called “${typed}”`}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function useFound(words: string): { found: Action[]; searching: boolean } {
  const may = useMay();
  const navigate = useNavigate();
  const long = words.length >= 2;
  const results = useQueries({
    queries: [
      {
        queryKey: ['search', 'clients', words],
        queryFn: () => searchClients(words),
        enabled: long && may('clients:clients:read'),
      },
      {
        queryKey: ['search', 'jobs', words],
        queryFn: () => searchJobs(words),
        enabled: long && may('workflow:jobs:read'),
      },
    ],
  });
  const found = long ? results.flatMap((result) => result.data ?? []) : [];
  return {
    searching: results.some((result) => result.isFetching),
    found: found.map(({ id, kind, title, detail, href }) => ({
      id: `${kind}-${id}`,
      label: title,
      description: detail,
      icon: icons[kind],
      run: () => navigate({ href }),
    })),
  };
}

function useActions(typed: string): Action[] {
  const may = useMay();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dark = colorScheme === 'dark';
  const all: Action[] = [
    ...places
      .filter((place) => may(place.permission))
      .map(({ to, label, icon }) => ({ id: to, label, icon, run: () => void navigate({ to }) })),
    {
      id: 'appearance',
      label: dark ? 'Light appearance' : 'Dark appearance',
      icon: dark ? IconSun : IconMoon,
      run: () => setColorScheme(dark ? 'light' : 'dark'),
    },
  ];
  return all.filter(({ label }) => label.toLowerCase().includes(typed.trim().toLowerCase()));
}

export const openPalette = spotlight.open;
