import { useMantineColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight } from '@mantine/spotlight';
import {
  IconBriefcase,
  IconBuildings,
  IconClock,
  IconFile,
  IconMoon,
  IconPlus,
  IconReceipt,
  IconSearch,
  IconSun,
  IconUser,
  type TablerIcon,
} from '@tabler/icons-react';
import { useQueries } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useMay } from '@/session/me';
import { useLogTime } from '@/time/LogTime';
import { places } from './nav';
import css from './Palette.module.css';
import { paletteStore, selectFirst } from './paletteStore';
import { type FoundKind, searches } from './search';

type Action = { id: string; label: string; description?: string; icon: TablerIcon; run: () => void };

const icons: Record<FoundKind, TablerIcon> = {
  client: IconBuildings,
  contact: IconUser,
  job: IconBriefcase,
  invoice: IconReceipt,
  document: IconFile,
};

/** Ctrl-K: any client, contact, job, invoice or document by a few letters, and every place and action. */
export function Palette() {
  const [typed, setTyped] = useState('');
  const [words] = useDebouncedValue(typed.trim(), 120);
  const { found, searching } = useFound(words);
  const actions = useActions(typed);
  const groups = [
    { label: 'Found', actions: found },
    { label: 'Do', actions },
  ].filter((group) => group.actions.length > 0);
  const first = groups[0]?.actions[0]?.id;

  // Results arrive after the letters: Enter takes the best of what is shown now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new first result is the occasion
  useEffect(selectFirst, [first]);

  return (
    <Spotlight.Root
      store={paletteStore}
      query={typed}
      onQueryChange={setTyped}
      shortcut={['mod + K']}
      scrollable
      maxHeight={420}
      clearQueryOnClose
      overlayProps={{ backgroundOpacity: 0.35, blur: 0 }}
      classNames={{ action: css.action, actionsGroup: css.group }}
      transitionProps={{ duration: 80 }}
    >
      <Spotlight.Search
        placeholder="A client, a job, an invoice, or what to do"
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

/** The services are asked side by side, each for what it owns and only if the person may see it. */
function useFound(words: string): { found: Action[]; searching: boolean } {
  const may = useMay();
  const navigate = useNavigate();
  const long = words.length >= 2;
  const results = useQueries({
    queries: searches.map(({ name, permission, search }) => ({
      queryKey: ['search', name, words],
      queryFn: () => search(words),
      enabled: long && may(permission),
    })),
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
  const logTime = useLogTime();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dark = colorScheme === 'dark';
  const all: (Action & { permission?: string })[] = [
    {
      id: 'log-time',
      label: 'Log time',
      icon: IconClock,
      permission: 'timebilling:time:write',
      run: () => logTime.open({}),
    },
    {
      id: 'start',
      label: 'Start a job',
      icon: IconPlus,
      permission: 'workflow:jobs:write',
      run: () => navigate({ to: '/work/new' }),
    },
    ...places.map(({ to, label, icon, permission }) => ({
      id: to,
      label: `Go to ${label}`,
      icon,
      permission,
      run: () => void navigate({ to }),
    })),
    {
      id: 'appearance',
      label: dark ? 'Light appearance' : 'Dark appearance',
      icon: dark ? IconSun : IconMoon,
      run: () => setColorScheme(dark ? 'light' : 'dark'),
    },
  ];
  return all
    .filter(({ permission }) => !permission || may(permission))
    .filter(({ label }) => label.toLowerCase().includes(typed.trim().toLowerCase()));
}
