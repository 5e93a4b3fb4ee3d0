import { Menu, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { IconApi, IconKeyboard, IconLogout } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { body } from '@/api/http';
import { identity } from '@/api/services';
import { useMe } from '@/session/me';
import { Person } from '@/ui/Person';
import css from './Frame.module.css';
import { keyboardHelp } from './Shortcuts';

/** Who I am, and what is mine alone: light or dark, signing out. */
export function Me({ compact = false }: { compact?: boolean }) {
  const { data: me } = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => body(identity.DELETE('/sessions/current')),
    onSettled: async () => {
      await navigate({ to: '/sign-in' });
      queries.clear();
    },
  });
  return (
    <Menu position="top-start" width={232} trapFocus>
      <Menu.Target>
        <button
          type="button"
          className={css.me}
          style={compact ? { width: 'auto' } : undefined}
          aria-label={`${me?.name}: my menu`}
        >
          <Person name={me?.name} compact={compact} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me?.email}</Menu.Label>
        <div style={{ padding: '4px 8px 8px' }}>
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label="Appearance"
            value={colorScheme}
            onChange={(value) => setColorScheme(value as 'light' | 'dark' | 'auto')}
            data={[
              { value: 'light', label: 'Light' },
              { value: 'dark', label: 'Dark' },
              { value: 'auto', label: 'System' },
            ]}
          />
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={keyboardHelp.open} visibleFrom="sm">
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Item leftSection={<IconApi size={16} />} component="a" href="/api/docs/">
          API reference
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
