import { ActionIcon, Button, Textarea } from '@mantine/core';
import { IconPencil, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { formatAmount, formatMoney, type Money } from '@/lib/money';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import list from '@/ui/List.module.css';
import { failed } from '@/ui/toasts';
import { type Invoice, type InvoiceLine, useChangeDraft, useRemoveLine } from './api';
import css from './Invoice.module.css';
import { AdjustTotalDialog, LineDialog } from './LineDialog';

const same = (a: Money, b: Money) => a.amount === b.amount;

/** The invoice as the client will read it; a draft's lines can be changed where they stand. */
export function InvoiceSheet({ invoice }: { invoice: Invoice }) {
  const may = useMay();
  const draft = invoice.status === 'draft' && may('timebilling:invoices:write');
  return (
    <div className={css.sheet}>
      <div className={list.scroll}>
        <table className={list.table}>
          <thead>
            <tr>
              <th>Description</th>
              <th data-align="right">Hours</th>
              <th>Tax</th>
              <th data-align="right">Amount ({invoice.net.currency})</th>
              {draft && (
                <th style={{ width: 68 }}>
                  <span className="visually-hidden">Change</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {invoice.lines.map((line) => (
              <Line key={line.id} invoice={invoice} line={line} draft={draft} />
            ))}
          </tbody>
        </table>
      </div>
      <Totals invoice={invoice} draft={draft} />
      <Note invoice={invoice} draft={draft} />
    </div>
  );
}

function Line({ invoice, line, draft }: { invoice: Invoice; line: InvoiceLine; draft: boolean }) {
  const remove = useRemoveLine();
  const [editing, setEditing] = useState(false);
  const adjusted = !same(line.standard, line.net);
  const removeAsked = async () => {
    const yes = await ask({
      title: 'Take this line off the draft?',
      text: 'Its work is unbilled again.',
      act: 'Take it off',
    });
    if (yes !== null) remove.mutate({ invoice, line });
  };
  return (
    <tr>
      <td>
        <div className={css.description}>{line.description}</div>
        {adjusted && (
          <div className={list.note}>
            Standard {formatMoney(line.standard)}
            {line.reason && `: ${line.reason}`}
          </div>
        )}
      </td>
      <td data-align="right">{line.quantity}</td>
      <td>{line.tax_label ? line.tax_label : <span className="quiet">none</span>}</td>
      <td data-align="right">{formatAmount(line.net)}</td>
      {draft && (
        <td style={{ whiteSpace: 'nowrap' }}>
          <ActionIcon size={28} aria-label={`Change ${line.description}`} onClick={() => setEditing(true)}>
            <IconPencil size={16} />
          </ActionIcon>
          <ActionIcon
            size={28}
            aria-label={`Take off ${line.description}`}
            onClick={removeAsked}
            loading={remove.isPending}
          >
            <IconTrash size={16} />
          </ActionIcon>
          <LineDialog invoice={invoice} line={line} opened={editing} onClose={() => setEditing(false)} />
        </td>
      )}
    </tr>
  );
}

function Totals({ invoice, draft }: { invoice: Invoice; draft: boolean }) {
  const [adjusting, setAdjusting] = useState(false);
  const paid = Number(invoice.paid.amount) !== 0;
  return (
    <dl className={css.totals}>
      {!same(invoice.standard, invoice.net) && <Sum name="Standard value" money={invoice.standard} quiet />}
      <Sum name="Net" money={invoice.net}>
        {draft && invoice.lines.length > 0 && (
          <Button size="compact-xs" variant="subtle" onClick={() => setAdjusting(true)}>
            Adjust
          </Button>
        )}
      </Sum>
      {invoice.taxes.map((tax) => (
        <Sum key={`${tax.category}${tax.percent}`} name={tax.label} money={tax.tax} />
      ))}
      <Sum name="Total" money={invoice.total} strong />
      {paid && <Sum name="Paid" money={invoice.paid} />}
      {paid && <Sum name="Open" money={invoice.balance} strong />}
      <AdjustTotalDialog invoice={invoice} opened={adjusting} onClose={() => setAdjusting(false)} />
    </dl>
  );
}

function Sum({
  name,
  money,
  strong,
  quiet,
  children,
}: {
  name: string;
  money: Money;
  strong?: boolean;
  quiet?: boolean;
  children?: React.ReactNode;
}) {
  return (
    <div data-strong={strong || undefined} className={quiet ? 'quiet' : undefined}>
      <dt>
        {name} {children}
      </dt>
      <dd className="num">{formatMoney(money)}</dd>
    </div>
  );
}

function Note({ invoice, draft }: { invoice: Invoice; draft: boolean }) {
  const [note, setNote] = useState(invoice.note);
  const change = useChangeDraft();
  if (!draft) return invoice.note ? <p className={css.note}>{invoice.note}</p> : null;
  const save = () => {
    if (note.trim() !== invoice.note)
      change.mutate({ invoice, change: { note: note.trim() } }, { onError: failed });
  };
  return (
    <Textarea
      label="Note to the client"
      description="Printed below the total. Saved when you leave the field."
      autosize
      minRows={2}
      maxLength={2000}
      maw={520}
      value={note}
      onChange={(event) => setNote(event.currentTarget.value)}
      onBlur={save}
    />
  );
}
