import { queryOptions, useQuery } from '@tanstack/react-query';
import { body, quietly } from '@/api/http';
import { identity } from '@/api/services';

/** Who is signed in, what they may do, and their firm. */
export const meQuery = () =>
  queryOptions({
    queryKey: ['me'],
    queryFn: () => body(identity.GET('/me', { headers: quietly })),
    staleTime: 5 * 60_000,
    retry: false,
  });

export const useMe = () => useQuery(meQuery());

/** May the signed-in person do this? Unknown is no. */
export function useMay(): (permission: string) => boolean {
  const { data } = useMe();
  return (permission) => data?.permissions.includes(permission) ?? false;
}
