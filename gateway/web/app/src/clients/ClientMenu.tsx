import { ActionIcon, Menu } from '@mantine/core';
import { IconArchive, IconDots, IconRotate } from '@tabler/icons-react';
import { body } from '@/api/http';
import { clients } from '@/api/services';
import { ask } from '@/ui/ask';
import { type Client, useClientAct } from './api';

export function ClientMenu({ client }: { client: Client }) {
  const params = { path: { client_id: client.id } };
  const archive = useClientAct((reason: string) =>
    body(clients.POST('/clients/{client_id}/archive', { params, body: { reason } })),
  );
  const activate = useClientAct((_: undefined) =>
    body(clients.POST('/clients/{client_id}/activate', { params })),
  );
  const archiveAsked = async () => {
    const reason = await ask({
      title: `Archive ${client.name}?`,
      text: 'They become a former client. Nothing is deleted, and you can take them up again.',
      act: 'Archive',
      reason: { label: 'Why' },
    });
    if (reason) archive.mutate(reason);
  };
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="More for this client">
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {client.status !== 'active' && (
          <Menu.Item leftSection={<IconRotate size={16} />} onClick={() => activate.mutate(undefined)}>
            Make active
          </Menu.Item>
        )}
        {client.status !== 'former' && (
          <Menu.Item leftSection={<IconArchive size={16} />} onClick={archiveAsked}>
            Archive …
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
