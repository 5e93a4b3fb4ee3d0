import {
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import type { components } from '@/api/generated/clients';
import { body } from '@/api/http';
import { isProblem } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { clients, portal } from '@/api/services';

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

export type ClientFilters = {
  q?: string;
  status?: ClientStatus;
  partner_id?: string;
  manager_id?: string;
  tag?: string;
};

export const clientsQuery = (filters: ClientFilters) =>
  infiniteQueryOptions({
    queryKey: ['clients', 'list', filters],
    queryFn: ({ pageParam }) =>
      body(clients.GET('/clients', { params: { query: { ...filters, limit: 100, cursor: pageParam } } })),
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
    queryFn: () =>
      body(clients.GET('/engagements', { params: { query: { client_id, limit: 100 } } })).then(
        ({ items }) => items,
      ),
  });

/** Clients to choose from: the best matches, or the first by name before anything is typed. */
export const clientChoicesQuery = (q: string) =>
  queryOptions({
    queryKey: ['clients', 'choices', q],
    queryFn: () =>
      body(clients.GET('/clients', { params: { query: { q: q || undefined, limit: 20 } } })).then(
        ({ items }) => items.map(({ id, name, number }) => ({ id, name, number })),
      ),
    placeholderData: (before: { id: string; name: string; number: string }[] | undefined) => before,
  });

export const clientsChanged = (queries: QueryClient) => refresh(queries, 'clients', 'engagements');

export function useClientAct<Given, Answer>(act: (given: Given) => Promise<Answer>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => clientsChanged(queries), meta: { quiet } });
}

const seen = (version: number) => ({ 'If-Match': `"${version}"` });

export const useCreateClient = () =>
  useClientAct((given: ClientNew) => body(clients.POST('/clients', { body: given })), true);

export const useChangeClient = () =>
  useClientAct(
    ({ client, change }: { client: Client; change: ClientChange }) =>
      body(
        clients.PATCH('/clients/{client_id}', {
          params: { path: { client_id: client.id }, header: seen(client.version) },
          body: change,
        }),
      ),
    true,
  );

/** A new contact; with portal access, an invitation is mailed as well. */
export const useCreateContact = () =>
  useClientAct(async (given: ContactNew) => {
    const contact = await body(clients.POST('/contacts', { body: given }));
    if (given.portal_access) await mailInvitation(contact.id);
    return contact;
  }, true);

/** Their version is read first: the client's page does not carry it. */
async function setPortalAccess(contact_id: string, portal_access: boolean): Promise<void> {
  const { version, portal_access: now } = await body(
    clients.GET('/contacts/{contact_id}', { params: { path: { contact_id } } }),
  );
  if (now === portal_access) return;
  await body(
    clients.PATCH('/contacts/{contact_id}', {
      params: { path: { contact_id }, header: seen(version) },
      body: { portal_access },
    }),
  );
}

export const useEndPortalAccess = () =>
  useClientAct((contact_id: string) => setPortalAccess(contact_id, false));

/** Gives access and has the portal mail an invitation. */
export const useInvite = () =>
  useClientAct(async (contact_id: string) => {
    await setPortalAccess(contact_id, true);
    return mailInvitation(contact_id);
  });

const notThereYet = ['contact_not_found', 'portal_access_off'];
const PATIENCE = 10_000;

/** The portal learns of a contact by an event, moments after the change: until then it is asked again. */
export async function mailInvitation(contact_id: string): Promise<void> {
  const until = Date.now() + PATIENCE;
  for (let pause = 200; ; pause = Math.min(1000, pause * 1.5)) {
    try {
      await body(portal.POST('/invitations', { body: { contact_id } }));
      return;
    } catch (error) {
      if (!isProblem(error) || !notThereYet.includes(error.code) || Date.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

export const useOpenEngagement = () =>
  useClientAct((given: EngagementNew) => body(clients.POST('/engagements', { body: given })), true);

export const useCloseEngagement = () =>
  useClientAct(({ id, ends_on, reason }: { id: string; ends_on: string; reason: string }) =>
    body(
      clients.POST('/engagements/{engagement_id}/close', {
        params: { path: { engagement_id: id } },
        body: { ends_on, reason },
      }),
    ),
  );
