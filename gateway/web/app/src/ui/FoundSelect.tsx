import { Select, type SelectProps } from '@mantine/core';

type Choice = { value: string; label: string };
type Props = Omit<SelectProps, 'data' | 'filter' | 'searchable'> & {
  choices: Choice[];
  searching: boolean;
  /** Said where nothing was found. */
  nothing: string;
};

/**
 * Chooses from what the service found for the words typed, also in spite of typos, so nothing is filtered here. That there is
 * nothing is said as an option that can't be chosen: a list without options is none to a screen reader.
 */
export function FoundSelect({ choices, searching, nothing, ...others }: Props) {
  const none = { value: '', label: searching ? 'Searching …' : nothing, disabled: true };
  return (
    <Select
      searchable
      data={choices.length > 0 ? choices : [none]}
      filter={({ options }) => options}
      styles={
        choices.length > 0 ? undefined : { option: { opacity: 1, color: 'var(--mantine-color-dimmed)' } }
      }
      {...others}
    />
  );
}
