import { infiniteQueryOptions, type QueryClient, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { components } from '@/api/generated/clients';
import { body } from '@/api/http';
import { clients } from '@/api/services';

type Schemas = components['schemas'];
export type Client = Schemas['Client'];
export type ClientNew = Schemas['ClientNew'];
export type ClientChange = Schemas['ClientChange'];
export type ClientStatus = Schemas['ClientStatus'];
export type ClientContact = Schemas['ClientContact'];
export type ContactNew = Schemas['ContactNew'];
export type Engagement = Schemas['Engagement'];
export type EngagementNew = Schemas['EngagementNew'];
export type FeeTerms = Schemas['FeeTerms'];

export type ClientFilters = { q?: string; status?: ClientStatus; partner_id?: string; manager_id?: string; tag?: string };

export const clientsQuery = (filters: ClientFilters) =>
  infiniteQueryOptions({
    queryKey: ['clients', 'list', filters],
    queryFn: ({ pageParam }) => body(clients.GET('/clients', { params: { query: { ...filters, limit: 100, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const clientQuery = (client_id: string) =>
  queryOptions({
    queryKey: ['clients', 'one', client_id],
    queryFn: () => body(clients.GET('/clients/{client_id}', { params: { path: { client_id } } })),
  });

export const engagementsQuery = (client_id: string) =>
  queryOptions({
    queryKey: ['engagements', client_id],
    queryFn: () => body(clients.GET('/engagements', { params: { query: { client_id, limit: 100 } } })).then(({ items }) => items),
  });

/** Clients to choose from: the best matches, or the first by name before anything is typed. */
export const clientChoicesQuery = (q: string) =>
  queryOptions({
    queryKey: ['clients', 'choices', q],
    queryFn: () =>
      body(clients.GET('/clients', { params: { query: { q: q || undefined, limit: 20 } } })).then(({ items }) =>
        items.map(({ id, name, number }) => ({ id, name, number })),
      ),
    placeholderData: (before: { id: string; name: string; number: string }[] | undefined) => before,
  });

export const clientsChanged = (queries: QueryClient) =>
  Promise.all(['clients', 'engagements'].map((key) => queries.invalidateQueries({ queryKey: [key] })));

export function useClientAct<Given, Answer>(act: (given: Given) => Promise<Answer>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => clientsChanged(queries), meta: { quiet } });
}

const seen = (version: number) => ({ 'If-Match': `"${version}"` });

export const useCreateClient = () => useClientAct((given: ClientNew) => body(clients.POST('/clients', { body: given })), true);

export const useChangeClient = () =>
  useClientAct(
    ({ client, change }: { client: Client; change: ClientChange }) =>
      body(clients.PATCH('/clients/{client_id}', { params: { path: { client_id: client.id }, header: seen(client.version) }, body: change })),
    true,
  );

export const useCreateContact = () => useClientAct((given: ContactNew) => body(clients.POST('/contacts', { body: given })), true);

/** A contact may use the portal, or no longer. Their version is read first: the client's page does not carry it. */
export const useSetPortalAccess = () =>
  useClientAct(async ({ contact_id, portal_access }: { contact_id: string; portal_access: boolean }) => {
    const { version } = await body(clients.GET('/contacts/{contact_id}', { params: { path: { contact_id } } }));
    return body(clients.PATCH('/contacts/{contact_id}', { params: { path: { contact_id }, header: seen(version) }, body: { portal_access } }));
  });

export const useOpenEngagement = () => useClientAct((given: EngagementNew) => body(clients.POST('/engagements', { body: given })), true);

export const useCloseEngagement = () =>
  useClientAct(({ id, ends_on, reason }: { id: string; ends_on: string; reason: string }) =>
    body(clients.POST('/engagements/{engagement_id}/close', { params: { path: { engagement_id: id } }, body: { ends_on, reason } })),
  );
