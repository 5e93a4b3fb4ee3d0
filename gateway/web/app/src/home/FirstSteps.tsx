import { IconCircle, IconCircleCheckFilled } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { clientsQuery } from '@/clients/api';
import { useMay } from '@/session/me';
import { staffQuery } from '@/session/staff';
import { ratesQuery } from '@/settings/ratesQuery';
import { templatesQuery } from '@/templates/api';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { overviewQuery } from '@/work/api';
import css from './Home.module.css';

/** A new firm's way to its first job, until there is one. */
export function FirstSteps() {
  const may = useMay();
  const overview = useQuery(overviewQuery());
  const fresh = overview.data?.counts.total === 0 && overview.data.done_last_30_days === 0;
  const staff = useQuery({ ...staffQuery(), enabled: fresh });
  const rates = useInfiniteQuery({ ...ratesQuery('bill'), enabled: fresh && may('timebilling:rates:read') });
  const templates = useQuery({ ...templatesQuery(), enabled: fresh });
  const clients = useInfiniteQuery({ ...clientsQuery({}), enabled: fresh });
  if (!fresh) return null;

  const steps = [
    {
      done: (staff.data?.length ?? 0) > 1,
      to: '/settings/staff',
      title: 'Invite your colleagues',
      note: 'They get a mail and set a password.',
    },
    {
      done: (templates.data?.length ?? 0) > 0,
      to: '/templates',
      title: 'Take over starter templates',
      note: 'Or write your own: tasks, dates, what clients are asked for.',
    },
    {
      done: (rates.data?.pages[0].items.length ?? 0) > 0,
      to: '/settings/rates',
      title: 'Say what an hour is charged at',
      note: 'Without a rate, time can’t be approved.',
      permission: 'timebilling:rates:read',
    },
    {
      done: (clients.data?.pages[0].items.length ?? 0) > 0,
      to: '/clients',
      title: 'Add your first client',
      note: 'With a contact who may use the portal.',
    },
    {
      done: false,
      to: '/work/new',
      title: 'Start your first job',
      note: 'Every date and owner is shown before anything is made.',
    },
  ] as const;
  return (
    <Section title="First steps">
      <ul className={list.list}>
        {steps
          .filter((step) => !('permission' in step) || may(step.permission))
          .map(({ done, to, title, note }) => (
            <li key={to} className={list.item}>
              {done ? (
                <IconCircleCheckFilled size={20} className={css.done} aria-label="Done" />
              ) : (
                <IconCircle size={20} stroke={1.5} className="quiet" aria-label="To do" />
              )}
              <div className={list.main}>
                <div className={list.title}>
                  <Link to={to}>{title}</Link>
                </div>
                <div className={list.note}>{note}</div>
              </div>
            </li>
          ))}
      </ul>
    </Section>
  );
}
