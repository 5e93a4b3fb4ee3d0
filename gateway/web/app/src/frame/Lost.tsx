import { Button, Group } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { LinkButton } from '@/ui/LinkButton';
import { Page } from '@/ui/Page';
import { Empty, Failed } from '@/ui/states';

export function NotFound() {
  return (
    <Page title="Not found">
      <Empty
        icon={IconMapOff}
        title="There is nothing at this address"
        action={
          <LinkButton to="/" variant="default">
            Go home
          </LinkButton>
        }
      >
        It may have been removed, or it belongs to somebody else. Search finds what you may see.
      </Empty>
    </Page>
  );
}

export function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="Something broke">
      <Failed error={error} what="This page" retry={reset} />
      <Group>
        <Button variant="default" onClick={() => location.assign('/')}>
          Go home
        </Button>
      </Group>
    </Page>
  );
}
