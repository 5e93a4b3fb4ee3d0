import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { components } from '@/api/generated/documents';
import { answerOf, body } from '@/api/http';
import { documents } from '@/api/services';

type Schemas = components['schemas'];
export type Document = Schemas['Document'];

export const documentsQuery = (filters: { client_id?: string; job_id?: string }) =>
  queryOptions({
    queryKey: ['documents', 'list', filters],
    queryFn: () => body(documents.GET('/documents', { params: { query: { ...filters, limit: 200 } } })),
  });

export const newestDocumentsQuery = () =>
  infiniteQueryOptions({
    queryKey: ['documents', 'newest'],
    queryFn: ({ pageParam }) =>
      body(documents.GET('/documents', { params: { query: { limit: 100, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const foundDocumentsQuery = (q: string) =>
  queryOptions({
    queryKey: ['documents', 'found', q],
    queryFn: () => body(documents.GET('/search', { params: { query: { q, limit: 50 } } })),
  });

export const documentQuery = (document_id: string) =>
  queryOptions({
    queryKey: ['documents', 'one', document_id],
    queryFn: () => body(documents.GET('/documents/{document_id}', { params: { path: { document_id } } })),
    staleTime: 300_000,
  });

/** Fetches a file by an address that works for a minute; the store answers it as an attachment. */
export async function download(document_id: string): Promise<void> {
  const { url } = await body(
    documents.POST('/documents/{document_id}/downloads', { params: { path: { document_id } }, body: {} }),
  );
  location.assign(url);
}

export const changeDocument = ({ id, version }: Document, change: Schemas['DocumentChange']) =>
  body(
    documents.PATCH('/documents/{document_id}', {
      params: { path: { document_id: id }, header: { 'If-Match': `"${version}"` } },
      body: change,
    }),
  );

export const deleteDocument = ({ id, version }: Document) =>
  answerOf(
    documents.DELETE('/documents/{document_id}', {
      params: { path: { document_id: id }, header: { 'If-Match': `"${version}"` } },
    }),
  );
