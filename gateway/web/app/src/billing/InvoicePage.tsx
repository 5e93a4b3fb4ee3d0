import { Button, Skeleton } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { isProblem } from '@/api/problem';
import { download } from '@/documents/api';
import { NotFound } from '@/frame/Lost';
import { formatMoney } from '@/lib/money';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { DateText } from '@/ui/DateText';
import { Page } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { Failed } from '@/ui/states';
import { failed, said } from '@/ui/toasts';
import { type Invoice, invoiceQuery, useDropDraft, useIssue, useVoid } from './api';
import { InvoiceSheet } from './InvoiceSheet';
import { PaymentDialog } from './PaymentDialog';

/** A draft to be adjusted, or an issued invoice, which never changes again. */
export function InvoicePage() {
  const { invoiceId } = useParams({ from: '/framed/billing/invoices/$invoiceId' });
  const query = useQuery({
    ...invoiceQuery(invoiceId),
    // The PDF is rendered just after the issue; until it stands there, look again.
    refetchInterval: ({ state }) =>
      state.data?.number && !state.data.document_id && state.data.status !== 'void' ? 1500 : false,
  });
  if (query.data) return <Loaded invoice={query.data} />;
  if (isProblem(query.error, 404)) return <NotFound />;
  return (
    <Page title="Invoice">
      {query.error ? (
        <Failed error={query.error} what="This invoice" retry={() => query.refetch()} />
      ) : (
        <Skeleton height={400} />
      )}
    </Page>
  );
}

function Loaded({ invoice }: { invoice: Invoice }) {
  return (
    <Page
      title={invoice.number ?? 'Draft invoice'}
      trail={
        <>
          <Link to="/billing/invoices">Invoices</Link> /{' '}
          <Link to="/billing/clients/$clientId" params={{ clientId: invoice.client_id }}>
            {invoice.client_name}
          </Link>
        </>
      }
      beside={<Status value={invoice.status} />}
      facts={
        invoice.number ? (
          <>
            <span>
              Issued <DateText date={invoice.issued_on} />
            </span>
            <span>
              Due <DateText date={invoice.due_on} relative late={invoice.status === 'overdue'} />
            </span>
            {invoice.void_reason && <span>Void: {invoice.void_reason}</span>}
          </>
        ) : (
          'A draft has no number. It takes the next one when it is issued, and never changes after that.'
        )
      }
      actions={
        invoice.status === 'draft' ? <DraftActions invoice={invoice} /> : <IssuedActions invoice={invoice} />
      }
    >
      <InvoiceSheet invoice={invoice} />
    </Page>
  );
}

function DraftActions({ invoice }: { invoice: Invoice }) {
  const may = useMay();
  const navigate = useNavigate();
  const drop = useDropDraft();
  const issue = useIssue();
  const dropAsked = async () => {
    const yes = await ask({
      title: 'Drop this draft?',
      text: 'Its work is unbilled again. No number is used.',
      act: 'Drop it',
      danger: true,
    });
    if (yes === null) return;
    drop.mutate(invoice, {
      onSuccess: () =>
        navigate({ to: '/billing/clients/$clientId', params: { clientId: invoice.client_id } }),
    });
  };
  const issueAsked = async () => {
    const yes = await ask({
      title: `Issue this invoice for ${formatMoney(invoice.total)}?`,
      text: `${invoice.client_name} will see it in the portal. It takes the next number and can’t be changed afterwards, only corrected by a void.`,
      act: 'Issue',
    });
    if (yes !== null) issue.mutate(invoice, { onSuccess: ({ number }) => said(`${number} is issued`) });
  };
  return (
    <>
      {may('timebilling:invoices:write') && (
        <Button variant="default" onClick={dropAsked} loading={drop.isPending}>
          Drop
        </Button>
      )}
      {may('timebilling:invoices:act') && (
        <Button onClick={issueAsked} loading={issue.isPending} disabled={invoice.lines.length === 0}>
          Issue
        </Button>
      )}
    </>
  );
}

function IssuedActions({ invoice }: { invoice: Invoice }) {
  const may = useMay();
  const voiding = useVoid();
  const [paying, setPaying] = useState(false);
  const open = ['open', 'overdue', 'part_paid'].includes(invoice.status);
  const unpaid = invoice.status === 'open' || invoice.status === 'overdue';
  const voidAsked = async () => {
    const reason = await ask({
      title: `Void ${invoice.number}?`,
      text: 'Its work is unbilled again and can be billed anew. The number stays used.',
      act: 'Void it',
      danger: true,
      reason: { label: 'Why' },
    });
    if (reason) voiding.mutate({ invoice, reason });
  };
  const documentId = invoice.document_id;
  return (
    <>
      {may('timebilling:invoices:act') && unpaid && (
        <Button variant="default" onClick={voidAsked} loading={voiding.isPending}>
          Void
        </Button>
      )}
      {documentId ? (
        may('documents:documents:read') && (
          <Button
            variant="default"
            leftSection={<IconDownload size={16} />}
            onClick={() => download(documentId).catch(failed)}
          >
            PDF
          </Button>
        )
      ) : (
        <Button variant="default" loading disabled>
          PDF
        </Button>
      )}
      {may('timebilling:payments:write') && open && (
        <Button onClick={() => setPaying(true)}>Record a payment</Button>
      )}
      <PaymentDialog invoice={invoice} opened={paying} onClose={() => setPaying(false)} />
    </>
  );
}
