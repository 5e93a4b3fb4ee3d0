import { ActionIcon, Menu } from '@mantine/core';
import { IconBell, IconChecks } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { shortInstant } from '@/lib/dates';
import { useMay } from '@/session/me';
import { Loaded, Rows } from '@/ui/states';
import { countSaid, type Notice, noticesQuery, placeOf, unreadQuery, useRead, useReadAll } from './api';
import css from './Bell.module.css';

/** What I should know of: how many are unread, always in sight, and the list behind it. */
export function Bell({ compact = false }: { compact?: boolean }) {
  const may = useMay()('identity:notices:read');
  const { data: unread = 0 } = useQuery({ ...unreadQuery(), enabled: may });
  if (!may) return null;
  return (
    <Menu position={compact ? 'bottom-end' : 'bottom-start'} width="calc(min(360px, 100vw - 16px))">
      <Menu.Target>
        <ActionIcon
          size={compact ? 44 : 28}
          className={css.bell}
          aria-label={unread > 0 ? `Notices, ${countSaid(unread)} unread` : 'Notices'}
        >
          <IconBell size={compact ? 20 : 17} stroke={1.75} />
          {unread > 0 && (
            <span className={css.count} aria-hidden>
              {countSaid(unread)}
            </span>
          )}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown className={css.list}>
        <Notices />
      </Menu.Dropdown>
    </Menu>
  );
}

function Notices() {
  const query = useInfiniteQuery(noticesQuery());
  return (
    <Loaded query={query} what="Notices" skeleton={<Rows count={3} />}>
      {({ pages }) => {
        const notices = pages.flatMap(({ items }) => items);
        return notices.length === 0 ? (
          <Nothing />
        ) : (
          <>
            <ReadAll notices={notices} />
            {notices.map((notice) => (
              <Line key={notice.id} notice={notice} />
            ))}
            {query.hasNextPage && (
              <Menu.Item
                closeMenuOnClick={false}
                disabled={query.isFetchingNextPage}
                onClick={() => query.fetchNextPage()}
              >
                Earlier notices
              </Menu.Item>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

const Nothing = () => (
  <p className={css.nothing}>
    Nothing yet. You are told here when somebody mentions you, when something happens to what you watch, and
    when an automation says so.
  </p>
);

function ReadAll({ notices }: { notices: Notice[] }) {
  const readAll = useReadAll();
  if (notices.every(({ read_at }) => read_at)) return null;
  return (
    <>
      <Menu.Item
        closeMenuOnClick={false}
        disabled={readAll.isPending}
        leftSection={<IconChecks size={16} />}
        onClick={() => readAll.mutate(notices[0].id)}
      >
        Mark all as read
      </Menu.Item>
      <Menu.Divider />
    </>
  );
}

/** Opening what a notice is about marks it read. */
function Line({ notice }: { notice: Notice }) {
  const navigate = useNavigate();
  const read = useRead();
  const open = () => {
    const href = placeOf(notice);
    if (!notice.read_at) read.mutate(notice.id);
    if (href) navigate({ href });
  };
  return (
    <Menu.Item onClick={open} data-unread={!notice.read_at || undefined} className={css.line}>
      {!notice.read_at && <span className="visually-hidden">Unread: </span>}
      <span className={css.says}>{notice.says}</span>
      <time dateTime={notice.at} className={css.at}>
        {shortInstant(notice.at)}
      </time>
    </Menu.Item>
  );
}
