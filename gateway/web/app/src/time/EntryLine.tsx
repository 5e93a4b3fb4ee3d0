import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { clock } from '@/lib/durations';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import list from '@/ui/List.module.css';
import { Status } from '@/ui/Status';
import { type TimeEntry, useDeleteTime } from './api';
import { useLogTime } from './LogTime';

const changeable = ({ status }: TimeEntry) =>
  status === 'draft' || status === 'submitted' || status === 'returned';

export function EntryLine({ entry }: { entry: TimeEntry }) {
  const about = [entry.task_title, entry.activity_name, !entry.billable && 'not billable']
    .filter(Boolean)
    .join(' · ');
  return (
    <li className={list.item}>
      <div className={list.main}>
        <div className={list.title}>
          <Link to="/work/jobs/$jobId" params={{ jobId: entry.job_id }}>
            {entry.client_name} · {entry.job_title}
          </Link>
        </div>
        <div className={list.note}>
          {[entry.narrative, about].filter(Boolean).join(' — ')}
          {entry.status === 'returned' && entry.return_reason && (
            <div style={{ color: 'var(--at-risk)' }}>Returned: {entry.return_reason}</div>
          )}
        </div>
      </div>
      <div className={list.end}>
        {entry.status !== 'draft' && <Status value={entry.status} />}
        <strong className="num">{clock(entry.seconds)}</strong>
        {changeable(entry) ? <EntryMenu entry={entry} /> : <span style={{ width: 28 }} />}
      </div>
    </li>
  );
}

function EntryMenu({ entry }: { entry: TimeEntry }) {
  const may = useMay();
  const logTime = useLogTime();
  const remove = useDeleteTime();
  const removeAsked = async () => {
    const yes = await ask({
      title: `Delete ${clock(entry.seconds)} on ${entry.job_title}?`,
      act: 'Delete',
      danger: true,
    });
    if (yes !== null) remove.mutate(entry);
  };
  if (!may('timebilling:time:write')) return null;
  return (
    <Menu position="bottom-end" width={160}>
      <Menu.Target>
        <ActionIcon size={28} aria-label={`More for ${clock(entry.seconds)} on ${entry.job_title}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => logTime.open({ entry })}>
          Change …
        </Menu.Item>
        <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={removeAsked}>
          Delete …
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
