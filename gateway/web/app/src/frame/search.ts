import { body } from '@/api/http';
import { clients, workflow } from '@/api/services';
import { shortDate } from '@/lib/dates';
import { lookOf } from '@/lib/status';
import type { Found } from './Palette';

export async function searchClients(q: string): Promise<Found[]> {
  const { items } = await body(clients.GET('/search', { params: { query: { q, limit: 6 } } }));
  return items.map(({ type, id, name, number, email, related }) => ({
    id,
    kind: type,
    title: name,
    detail:
      type === 'client'
        ? [number, ...related.map((contact) => contact.name)].filter(Boolean).join(' · ')
        : [email, ...related.map((client) => client.name)].filter(Boolean).join(' · '),
    href: `/clients/${type === 'client' ? id : (related[0]?.id ?? '')}`,
  }));
}

export async function searchJobs(q: string): Promise<Found[]> {
  const { items } = await body(workflow.GET('/search', { params: { query: { q, limit: 6 } } }));
  return items.map(({ id, title, client, status, due_on }) => ({
    id,
    kind: 'job',
    title,
    detail: [client.name, lookOf(status).word, due_on && `due ${shortDate(due_on)}`]
      .filter(Boolean)
      .join(' · '),
    href: `/work/jobs/${id}`,
  }));
}
