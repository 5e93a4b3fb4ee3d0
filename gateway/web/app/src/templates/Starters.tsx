import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import list from '@/ui/List.module.css';
import { Loaded, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { startersQuery, useTakeOver } from './api';

/** Whole practices to begin with. What the firm has by the same name is left alone. */
export function Starters({ onDone }: { onDone?: () => void }) {
  const query = useQuery(startersQuery());
  const takeOver = useTakeOver();
  const take = (practice: string) =>
    takeOver.mutate(practice, {
      onSuccess: ({ items }) => {
        said(items.length === 0 ? 'You have all of them already' : `${items.length} templates are yours now`);
        onDone?.();
      },
    });
  return (
    <Loaded query={query} what="Starter templates" skeleton={<Rows count={2} />}>
      {(practices) => (
        <ul className={list.list}>
          {practices.map(({ practice, name, templates }) => (
            <li key={practice} className={list.item}>
              <div className={list.main}>
                <strong>{name}</strong>
                <div className={list.note}>{templates.map((template) => template.name).join(', ')}</div>
              </div>
              <Button
                size="xs"
                variant="default"
                loading={takeOver.isPending && takeOver.variables === practice}
                onClick={() => take(practice)}
              >
                Take over
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
}
