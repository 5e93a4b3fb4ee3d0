import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { FoundSelect } from '@/ui/FoundSelect';
import { type JobChoice, jobChoicesQuery } from './api';

type Props = {
  value: string | null;
  known?: JobChoice;
  onChange: (id: string | null) => void;
  error?: string;
};

/** Finds a job by a few letters of its title or client; offers my own before anything is typed. */
export function JobSelect({ value, known, onChange, error }: Props) {
  const [typed, setTyped] = useState('');
  const [words] = useDebouncedValue(typed.trim(), 150);
  const labelOf = ({ client, title }: JobChoice) => `${client} · ${title}`;
  const found = useQuery(jobChoicesQuery(words === (known && labelOf(known)) ? '' : words));
  const choices = [...(found.data ?? [])];
  if (known && !choices.some(({ id }) => id === known.id)) choices.unshift(known);
  return (
    <FoundSelect
      label="Job"
      placeholder="Client or job"
      required
      withAsterisk={false}
      searching={found.isFetching}
      nothing={words ? 'No job is called so' : 'Type a client or a job'}
      choices={choices.map((choice) => ({ value: choice.id, label: labelOf(choice) }))}
      value={value}
      onChange={onChange}
      onSearchChange={setTyped}
      error={error}
    />
  );
}
