import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
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
    <Select
      label="Job"
      placeholder="Client or job"
      searchable
      required
      withAsterisk={false}
      nothingFoundMessage={
        found.isFetching ? 'Searching …' : words ? 'No job is called so' : 'Type a client or a job'
      }
      data={choices.map((choice) => ({ value: choice.id, label: labelOf(choice) }))}
      // The service has searched already, also in spite of typos.
      filter={({ options }) => options}
      value={value}
      onChange={onChange}
      onSearchChange={setTyped}
      error={error}
    />
  );
}
