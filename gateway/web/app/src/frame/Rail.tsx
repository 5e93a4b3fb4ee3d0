import { IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { LiveState } from '@/api/live';
import { Bell } from '@/notices/Bell';
import { useMay, useMe } from '@/session/me';
import { RunningTimer } from '@/time/RunningTimer';
import { Mark } from '@/ui/Mark';
import css from './Frame.module.css';
import { Me } from './Me';
import { places } from './nav';
import { palette } from './paletteStore';

const says: Record<LiveState, string> = {
  live: 'Up to date',
  connecting: 'Connecting',
  offline: 'Reconnecting',
};

export function Rail({ live }: { live: LiveState }) {
  const may = useMay();
  const { data: me } = useMe();
  return (
    <div className={css.rail}>
      <div className={css.firm}>
        <Mark size={22} />
        <span className="truncate" title={me?.firm.name}>
          {me?.firm.name}
        </span>
        <Bell />
      </div>
      <button type="button" className={css.search} onClick={palette.open}>
        <IconSearch size={15} aria-hidden />
        Search
        <kbd>Ctrl K</kbd>
      </button>
      <nav aria-label="Main">
        {places
          .filter((place) => may(place.permission))
          .map(({ to, label, icon: Icon }) => (
            <Link key={to} to={to} className={css.link} activeOptions={{ exact: to === '/' }}>
              <Icon size={17} stroke={1.75} aria-hidden />
              {label}
            </Link>
          ))}
      </nav>
      <div className={css.foot}>
        <RunningTimer />
        <Live state={live} />
        <Me />
      </div>
    </div>
  );
}

export function Live({ state }: { state: LiveState }) {
  return (
    <div className={css.live} role="status">
      <span className={css.dot} data-state={state} aria-hidden />
      {says[state]}
    </div>
  );
}
