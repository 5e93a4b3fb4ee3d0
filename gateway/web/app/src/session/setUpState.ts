import { queryOptions } from '@tanstack/react-query';
import { body, quietly } from '@/api/http';
import { identity } from '@/api/services';

/** Whether the installation still waits for its first firm. */
export const setUpQuery = () =>
  queryOptions({
    queryKey: ['setup'],
    queryFn: () => body(identity.GET('/setup', { headers: quietly })),
    retry: false,
  });
