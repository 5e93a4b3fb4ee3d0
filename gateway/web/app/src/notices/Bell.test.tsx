import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { configure, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { Bell } from './Bell';

// Finding by role is slow in jsdom, and this machine may be busy.
configure({ asyncUtilTimeout: 10_000 });
vi.setConfig({ testTimeout: 30_000 });

const navigate = vi.hoisted(() => vi.fn());
vi.mock('@tanstack/react-router', () => ({ useNavigate: () => navigate }));

const item = {
  id: 'n1',
  reason: 'mentioned',
  says: 'Grace mentioned you.',
  subject_type: 'job',
  subject_id: 'j1',
  job_id: 'j1',
  client_id: 'c1',
  at: '2026-11-24T14:05:00Z',
  read_at: null,
};

const answers: Record<string, unknown> = {
  'GET /notices/unread-count': { count: 1 },
  'GET /notices': { items: [item], next_cursor: null },
  'POST /notices/n1/read': { ...item, read_at: item.at },
  'POST /notices/read-all': { count: 0 },
};

function open() {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string, { method }: RequestInit) => {
    const what = `${method} ${new URL(url).pathname.replace('/api/identity/v1', '')}`;
    asked.push(what);
    return Response.json(answers[what]);
  });
  const queries = new QueryClient();
  queries.setQueryData(['me'], { permissions: ['identity:notices:read'] });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <Bell />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test('the bell says how many are unread, and a notice leads to its job and is read', async () => {
  const asked = open();
  await userEvent.click(await screen.findByRole('button', { name: 'Notices, 1 unread' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: /^Unread: Grace mentioned you/ }));
  expect(navigate).toHaveBeenCalledWith({ href: '/work/jobs/j1' });
  expect(asked).toContain('POST /notices/n1/read');
});

test('all are marked read at once', async () => {
  const asked = open();
  await userEvent.click(await screen.findByRole('button', { name: 'Notices, 1 unread' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Mark all as read' }));
  expect(asked).toContain('POST /notices/read-all');
});
