import { IconChecklist } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { addDays, relativeDate, shortDate, startOfWeek, today } from '@/lib/dates';
import { useMe } from '@/session/me';
import { LinkButton } from '@/ui/LinkButton';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Empty, Loaded } from '@/ui/states';
import { type TaskRow, tasksQuery } from '@/work/api';
import { TaskLine } from '@/work/TaskLine';
import css from './Home.module.css';

type Day = { key: string; title: string; late: boolean; tasks: TaskRow[] };

/** My open tasks to the end of next week, late ones first, then day by day. */
export function MyWeek() {
  const { data: me } = useMe();
  const until = addDays(startOfWeek(today(), me?.firm.week_start), 13);
  const query = useQuery(tasksQuery({ owner: 'me', open: true, due_to: until }));
  return (
    <Section title="My week" count={query.data?.items.length || undefined}>
      <Loaded query={query} what="Your tasks">
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              icon={IconChecklist}
              title="Nothing is due in the next two weeks"
              action={
                <LinkButton to="/work" variant="default">
                  See all work
                </LinkButton>
              }
            >
              Tasks you own appear here by the day they are due.
            </Empty>
          ) : (
            byDay(items).map((day) => (
              <div key={day.key} className={css.group}>
                <h3 className={css.day} data-late={day.late || undefined}>
                  {day.title}
                </h3>
                <ul className={list.list}>
                  {day.tasks.map((task) => (
                    <TaskLine key={task.id} task={task} dated={day.late} />
                  ))}
                </ul>
              </div>
            ))
          )
        }
      </Loaded>
    </Section>
  );
}

/** Late tasks together, then one group a day. */
export function byDay(tasks: TaskRow[], now = today()): Day[] {
  const late = tasks.filter((task) => task.due_on && task.due_on < now);
  const days = [
    ...new Set(tasks.map((task) => task.due_on).filter((due): due is string => Boolean(due && due >= now))),
  ].sort();
  const groups = days.map((day) => ({
    key: day,
    title:
      day === now ? `Today, ${shortDate(day, now)}` : `${shortDate(day, now)} · ${relativeDate(day, now)}`,
    late: false,
    tasks: tasks.filter((task) => task.due_on === day),
  }));
  return late.length > 0
    ? [{ key: 'late', title: `Late (${late.length})`, late: true, tasks: late }, ...groups]
    : groups;
}
