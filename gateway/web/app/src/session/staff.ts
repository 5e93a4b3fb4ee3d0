import { queryOptions, useQuery } from '@tanstack/react-query';
import { body } from '@/api/http';
import { identity } from '@/api/services';

/** Everyone who works here, by name. Firms have tens to hundreds of people: all pages are read once and kept. */
export const staffQuery = () =>
  queryOptions({
    queryKey: ['staff', 'all'],
    queryFn: async () => {
      const everyone = [];
      let cursor: string | undefined;
      do {
        const page = await body(identity.GET('/staff', { params: { query: { limit: 200, cursor } } }));
        everyone.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return everyone;
    },
    staleTime: 300_000,
  });

/** Options of a select: those who work here now. */
export function useStaffOptions(): { value: string; label: string }[] {
  const { data } = useQuery(staffQuery());
  return (data ?? []).filter((person) => person.active).map(({ id, name }) => ({ value: id, label: name }));
}
