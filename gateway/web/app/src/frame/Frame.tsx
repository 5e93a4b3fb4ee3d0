import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { type LiveState, listen } from '@/api/live';
import { useMe } from '@/session/me';
import { SignInAgain } from '@/session/SignInAgain';
import { LogTimeDialog } from '@/time/LogTime';
import { AskDialog } from '@/ui/ask';
import { Failed } from '@/ui/states';
import { BottomBar, TopBar } from './Bars';
import css from './Frame.module.css';
import { Palette } from './Palette';
import { Rail } from './Rail';
import { Shortcuts } from './Shortcuts';

/** Everything around a page: the rail (bars on a phone), search, live updates. */
export function Frame() {
  const me = useMe();
  const { pathname } = useLocation();
  const live = useLive(Boolean(me.data));
  const main = useFocusOnNavigation(pathname);

  // Once somebody is in, what they see and type stays, whatever a later question about them answers.
  if (!me.data) return me.error ? <Unreachable error={me.error} retry={me.refetch} /> : null;
  return (
    <div className={css.frame}>
      <a href="#main" className={css.skip}>
        Skip to content
      </a>
      <TopBar live={live} />
      <Rail live={live} />
      <main id="main" ref={main} tabIndex={-1} className={css.main}>
        <Outlet />
      </main>
      <BottomBar />
      <Palette />
      <Shortcuts />
      <LogTimeDialog />
      <AskDialog />
      <SignInAgain />
    </div>
  );
}

function Unreachable({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <main style={{ padding: 32 }}>
      <Failed error={error} what="Praxis" retry={retry} />
    </main>
  );
}

function useLive(signedIn: boolean): LiveState {
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  useEffect(() => (signedIn ? listen(queries, setState) : undefined), [queries, signedIn]);
  return state;
}

/** A new page starts at its top, and keyboards and screen readers start inside it. */
function useFocusOnNavigation(pathname: string) {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the effect is for a change of page
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    main.current?.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}
