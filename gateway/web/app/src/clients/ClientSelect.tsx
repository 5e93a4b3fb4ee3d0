import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { FoundSelect } from '@/ui/FoundSelect';
import { clientChoicesQuery, clientQuery } from './api';

type Props = {
  label?: string;
  value: string | null;
  onChange: (id: string | null) => void;
  error?: string;
  autoFocus?: boolean;
};

/** Finds a client by a few letters; the service forgives typos. */
export function ClientSelect({ label = 'Client', value, onChange, error, autoFocus }: Props) {
  const [typed, setTyped] = useState('');
  const [words] = useDebouncedValue(typed.trim(), 150);
  const chosen = useQuery({ ...clientQuery(value ?? ''), enabled: Boolean(value) });
  const found = useQuery(clientChoicesQuery(words === chosen.data?.name ? '' : words));
  const choices = [...(found.data ?? [])];
  const known = chosen.data;
  if (known && !choices.some(({ id }) => id === known.id)) choices.unshift(known);
  return (
    <FoundSelect
      label={label}
      placeholder="Type a name or number"
      autoFocus={autoFocus}
      searching={found.isFetching}
      nothing="No client is like that"
      choices={choices.map(({ id, name }) => ({ value: id, label: name }))}
      value={value}
      onChange={onChange}
      onSearchChange={setTyped}
      error={error}
    />
  );
}
