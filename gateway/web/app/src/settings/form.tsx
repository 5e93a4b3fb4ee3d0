import { Alert, Button, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { explain } from '@/api/problem';

type Props = {
  error: unknown;
  saving: boolean;
  dirty?: boolean;
  act?: string;
  mayWrite?: boolean;
  children: ReactNode;
};

/** The body of a settings form: what went wrong above, one column of fields, the primary act bottom right. */
export function FormBody({ error, saving, dirty = true, act = 'Save', mayWrite = true, children }: Props) {
  return (
    <fieldset disabled={!mayWrite} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
      <Stack gap="md">
        {Boolean(error) && (
          <Alert color="red" role="alert">
            {explain(error)}
          </Alert>
        )}
        {children}
        {mayWrite && (
          <Group justify="flex-end">
            <Button type="submit" loading={saving} disabled={!dirty}>
              {act}
            </Button>
          </Group>
        )}
      </Stack>
    </fieldset>
  );
}
