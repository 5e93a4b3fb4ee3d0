import {
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import type { components } from '@/api/generated/timebilling';
import { answerOf, body } from '@/api/http';
import { refresh } from '@/api/refresh';
import { timebilling } from '@/api/services';

type Schemas = components['schemas'];
export type Invoice = Schemas['Invoice'];
export type InvoiceLine = Schemas['InvoiceLine'];
export type InvoiceSummary = Schemas['InvoiceSummary'];
export type InvoiceStatus = Schemas['InvoiceStatus'];
export type ClientWip = Schemas['ClientWip'];
export type JobWip = Schemas['JobWip'];
/** A job's line in its client's WIP. */
export type JobUnbilled = Schemas['ClientWipJobs']['jobs'][number];
export type Payment = Schemas['Payment'];

type Cursor = string | undefined;
const paged = {
  initialPageParam: undefined as Cursor,
  getNextPageParam: (page: { next_cursor?: string | null }) => page.next_cursor ?? undefined,
};

// ---------------------------------------------------------------- reading

export const moneyOverviewQuery = () =>
  queryOptions({ queryKey: ['wip', 'overview'], queryFn: () => body(timebilling.GET('/overview')) });

export const wipQuery = () =>
  infiniteQueryOptions({
    queryKey: ['wip', 'clients'],
    queryFn: ({ pageParam }) =>
      body(timebilling.GET('/wip', { params: { query: { limit: 100, cursor: pageParam } } })),
    ...paged,
  });

export const clientWipQuery = (client_id: string) =>
  queryOptions({
    queryKey: ['wip', 'client', client_id],
    queryFn: () => body(timebilling.GET('/wip/clients/{client_id}', { params: { path: { client_id } } })),
  });

export const jobWipQuery = (job_id: string) =>
  queryOptions({
    queryKey: ['wip', 'job', job_id],
    queryFn: () => body(timebilling.GET('/wip/jobs/{job_id}', { params: { path: { job_id } } })),
  });

export const invoicesQuery = (filters: { client_id?: string; status?: InvoiceStatus }) =>
  infiniteQueryOptions({
    queryKey: ['invoices', 'list', filters],
    queryFn: ({ pageParam }) =>
      body(
        timebilling.GET('/invoices', { params: { query: { ...filters, limit: 100, cursor: pageParam } } }),
      ),
    ...paged,
  });

export const invoiceQuery = (invoice_id: string) =>
  queryOptions({
    queryKey: ['invoices', 'one', invoice_id],
    queryFn: () => body(timebilling.GET('/invoices/{invoice_id}', { params: { path: { invoice_id } } })),
  });

export const paymentsQuery = (client_id?: string) =>
  infiniteQueryOptions({
    queryKey: ['payments', client_id],
    queryFn: ({ pageParam }) =>
      body(timebilling.GET('/payments', { params: { query: { client_id, limit: 100, cursor: pageParam } } })),
    ...paged,
  });

export const billingSettingsQuery = () =>
  queryOptions({ queryKey: ['billing-settings'], queryFn: () => answerOf(timebilling.GET('/settings')) });

export const taxCodesQuery = () =>
  queryOptions({
    queryKey: ['tax-codes'],
    queryFn: () =>
      body(timebilling.GET('/tax-codes', { params: { query: { limit: 200 } } })).then(({ items }) => items),
    staleTime: 300_000,
  });

// ---------------------------------------------------------------- changing

export const moneyChanged = (queries: QueryClient) => refresh(queries, 'invoices', 'wip', 'payments', 'time');

/** A financial act: nothing is shown before the service has said yes. */
function useMoneyAct<Given, Answer>(act: (given: Given) => Promise<Answer>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => moneyChanged(queries), meta: { quiet } });
}

/** An act that answers the invoice as it now is: its page shows that at once, with the version the next change names. */
function useInvoiceAct<Given>(act: (given: Given) => Promise<Invoice>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (invoice) => queries.setQueryData(invoiceQuery(invoice.id).queryKey, invoice),
    onSettled: () => moneyChanged(queries),
    meta: { quiet },
  });
}

const named = (invoice: { id: string; version: number }) => ({
  path: { invoice_id: invoice.id },
  header: { 'If-Match': `"${invoice.version}"` },
});

export const useDraftInvoice = () =>
  useInvoiceAct((given: Schemas['NewInvoice']) => body(timebilling.POST('/invoices', { body: given })));

export const useChangeDraft = () =>
  useInvoiceAct(
    ({ invoice, change }: { invoice: Invoice; change: Schemas['InvoiceChange'] }) =>
      body(timebilling.PATCH('/invoices/{invoice_id}', { params: named(invoice), body: change })),
    true,
  );

export const useChangeLine = () =>
  useInvoiceAct(
    ({
      invoice,
      line,
      change,
    }: {
      invoice: Invoice;
      line: InvoiceLine;
      change: Schemas['InvoiceLineChange'];
    }) => {
      const { path, header } = named(invoice);
      return body(
        timebilling.PATCH('/invoices/{invoice_id}/lines/{line_id}', {
          params: { path: { ...path, line_id: line.id }, header },
          body: change,
        }),
      );
    },
    true,
  );

export const useRemoveLine = () =>
  useMoneyAct(({ invoice, line }: { invoice: Invoice; line: InvoiceLine }) => {
    const { path, header } = named(invoice);
    return answerOf(
      timebilling.DELETE('/invoices/{invoice_id}/lines/{line_id}', {
        params: { path: { ...path, line_id: line.id }, header },
      }),
    );
  });

export const useDropDraft = () =>
  useMoneyAct((invoice: Invoice) =>
    answerOf(timebilling.DELETE('/invoices/{invoice_id}', { params: named(invoice) })),
  );

export const useIssue = () =>
  useInvoiceAct((invoice: Invoice) =>
    body(
      timebilling.POST('/invoices/{invoice_id}/issue', {
        params: { path: { invoice_id: invoice.id } },
        body: {},
      }),
    ),
  );

export const useVoid = () =>
  useInvoiceAct(({ invoice, reason }: { invoice: Invoice; reason: string }) =>
    body(
      timebilling.POST('/invoices/{invoice_id}/void', {
        params: { path: { invoice_id: invoice.id } },
        body: { reason },
      }),
    ),
  );

export const useRecordPayment = () =>
  useMoneyAct((given: Schemas['NewPayment']) => body(timebilling.POST('/payments', { body: given })), true);
