import { notifications } from '@mantine/notifications';
import { explain } from '@/api/problem';

export const said = (message: string) => notifications.show({ message, color: 'accent' });

export const failed = (error: unknown) =>
  notifications.show({
    title: 'That was not saved',
    message: explain(error),
    color: 'red',
    autoClose: 10_000,
  });
