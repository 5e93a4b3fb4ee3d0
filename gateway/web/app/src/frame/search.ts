import { body } from '@/api/http';
import { clients, documents, timebilling, workflow } from '@/api/services';
import { shortDate } from '@/lib/dates';
import { formatMoney } from '@/lib/money';
import { lookOf } from '@/lib/status';

export type FoundKind = 'client' | 'contact' | 'job' | 'invoice' | 'document';
export type Found = { id: string; kind: FoundKind; title: string; detail: string; href: string };

const facts = (...parts: (string | null | undefined | false)[]) => parts.filter(Boolean).join(' · ');

async function searchClients(q: string): Promise<Found[]> {
  const { items } = await body(clients.GET('/search', { params: { query: { q, limit: 6 } } }));
  return items
    .filter(({ type, related }) => type === 'client' || related.length > 0)
    .map(({ type, id, name, number, email, related }) => ({
      id,
      kind: type,
      title: name,
      detail: facts(number, email, ...related.map((other) => other.name)),
      href: `/clients/${type === 'client' ? id : related[0].id}`,
    }));
}

async function searchJobs(q: string): Promise<Found[]> {
  const { items } = await body(workflow.GET('/search', { params: { query: { q, limit: 6 } } }));
  return items.map(({ id, title, client, status, due_on }) => ({
    id,
    kind: 'job',
    title,
    detail: facts(client.name, lookOf(status).word, due_on && `due ${shortDate(due_on)}`),
    href: `/work/jobs/${id}`,
  }));
}

async function searchInvoices(q: string): Promise<Found[]> {
  const { items } = await body(timebilling.GET('/search', { params: { query: { q, limit: 4 } } }));
  return items.map(({ id, number, client_name, total, status }) => ({
    id,
    kind: 'invoice',
    title: number ?? 'Draft invoice',
    detail: facts(client_name, formatMoney(total), lookOf(status).word),
    href: `/billing/invoices/${id}`,
  }));
}

async function searchDocuments(q: string): Promise<Found[]> {
  const { items } = await body(documents.GET('/search', { params: { query: { q, limit: 4 } } }));
  return items.map(({ id, name, client_id, client_name, job_id, job_title }) => ({
    id,
    kind: 'document',
    title: name,
    detail: facts(client_name, job_title),
    href: job_id ? `/work/jobs/${job_id}` : `/clients/${client_id}`,
  }));
}

export const searches = [
  { name: 'clients', permission: 'clients:clients:read', search: searchClients },
  { name: 'jobs', permission: 'workflow:jobs:read', search: searchJobs },
  { name: 'invoices', permission: 'timebilling:invoices:read', search: searchInvoices },
  { name: 'documents', permission: 'documents:documents:read', search: searchDocuments },
];
