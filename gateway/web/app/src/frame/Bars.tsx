import { ActionIcon, Menu, UnstyledButton } from '@mantine/core';
import { IconDots, IconSearch } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import type { LiveState } from '@/api/live';
import { Bell } from '@/notices/Bell';
import { useMay, useMe } from '@/session/me';
import { RunningTimer } from '@/time/RunningTimer';
import { Mark } from '@/ui/Mark';
import css from './Frame.module.css';
import { Me } from './Me';
import { places } from './nav';
import { palette } from './paletteStore';

const ROOM = 4;

/** On a phone: the firm, search and me. */
export function TopBar({ live }: { live: LiveState }) {
  const { data: me } = useMe();
  return (
    <header className={css.top}>
      <Mark size={22} />
      <strong className="truncate">{me?.firm.name}</strong>
      {live === 'offline' && <span className="quiet">Reconnecting</span>}
      <RunningTimer compact />
      <ActionIcon size={44} aria-label="Search" onClick={palette.open}>
        <IconSearch size={20} />
      </ActionIcon>
      <Bell compact />
      <Me compact />
    </header>
  );
}

/** On a phone: the first places under the thumb, the others behind "More". */
export function BottomBar() {
  const may = useMay();
  const navigate = useNavigate();
  const mine = places.filter((place) => may(place.permission));
  return (
    <nav className={css.bottom} aria-label="Main">
      {mine.slice(0, ROOM).map(({ to, label, icon: Icon }) => (
        <Link key={to} to={to} className={css.tab} activeOptions={{ exact: to === '/' }}>
          <Icon size={22} stroke={1.75} aria-hidden />
          {label}
        </Link>
      ))}
      {mine.length > ROOM && (
        <Menu position="top-end" width={200}>
          <Menu.Target>
            <UnstyledButton className={css.tab}>
              <IconDots size={22} stroke={1.75} aria-hidden />
              More
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            {mine.slice(ROOM).map(({ to, label, icon: Icon }) => (
              <Menu.Item key={to} leftSection={<Icon size={18} />} h={44} onClick={() => navigate({ to })}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </nav>
  );
}
