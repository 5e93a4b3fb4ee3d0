import { ActionIcon, Anchor } from '@mantine/core';
import { IconArrowBackUp, IconCheck, IconPaperclip } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { body } from '@/api/http';
import { workflow } from '@/api/services';
import { documentQuery, download } from '@/documents/api';
import { shortDate } from '@/lib/dates';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { Status } from '@/ui/Status';
import { failed } from '@/ui/toasts';
import { type ClientRequest, type RequestItem, workChanged } from './api';
import css from './JobPage.module.css';

export function RequestItemRow({ request, item }: { request: ClientRequest; item: RequestItem }) {
  return (
    <li className={css.itemRow}>
      <div>
        {item.label}
        {!item.required && <span className="quiet"> (optional)</span>}
      </div>
      <div className={css.itemEnd}>
        {item.status !== 'open' && <Status value={item.status} />}
        <Decide request={request} item={item} />
      </div>
      <Answer item={item} />
      {item.status === 'returned' && item.return_reason && (
        <div className={`${css.answer} quiet`}>Returned: {item.return_reason}</div>
      )}
    </li>
  );
}

function Answer({ item }: { item: RequestItem }) {
  if (item.document_ids.length > 0) {
    return (
      <div className={css.answer}>
        {item.document_ids.map((id) => (
          <File key={id} id={id} />
        ))}
      </div>
    );
  }
  if (!item.answer) return null;
  return <div className={css.answer}>{written(item)}</div>;
}

/** The answer as people say it: dates as dates, yes and no as words. */
function written({ kind, answer }: RequestItem): string {
  if (!answer) return '';
  if (kind === 'date' && /^\d{4}-\d\d-\d\d$/.test(answer)) return shortDate(answer);
  if (kind === 'yes_no' || kind === 'approval')
    return { true: 'Yes', yes: 'Yes', false: 'No', no: 'No', approved: 'Approved' }[answer] ?? answer;
  return answer;
}

function File({ id }: { id: string }) {
  const { data } = useQuery(documentQuery(id));
  return (
    <Anchor
      component="button"
      type="button"
      display="inline-flex"
      style={{ alignItems: 'center', gap: 4 }}
      onClick={() => download(id).catch(failed)}
    >
      <IconPaperclip size={14} aria-hidden />
      {data?.name ?? 'File'}
    </Anchor>
  );
}

function Decide({ request, item }: { request: ClientRequest; item: RequestItem }) {
  const may = useMay()('workflow:jobs:act');
  const queries = useQueryClient();
  const params = { path: { request_id: request.id, item_id: item.id } };
  const accept = useMutation({
    mutationFn: () => body(workflow.POST('/requests/{request_id}/items/{item_id}/accept', { params })),
    onSettled: () => workChanged(queries),
  });
  const giveBack = useMutation({
    mutationFn: (reason: string) =>
      body(workflow.POST('/requests/{request_id}/items/{item_id}/return', { params, body: { reason } })),
    onSettled: () => workChanged(queries),
  });
  const decidable = ['answered', 'not_applicable', 'not_available'].includes(item.status);
  if (!may || !decidable || request.status !== 'submitted') return null;

  const returnAsked = async () => {
    const reason = await ask({
      title: `Return “${item.label}”?`,
      text: 'The request goes back to the client with it.',
      act: 'Return it',
      reason: { label: 'What is wrong with it' },
    });
    if (reason) giveBack.mutate(reason);
  };
  return (
    <>
      <ActionIcon
        size={28}
        aria-label={`Return ${item.label}`}
        title="Return"
        onClick={returnAsked}
        loading={giveBack.isPending}
      >
        <IconArrowBackUp size={16} />
      </ActionIcon>
      <ActionIcon
        size={28}
        aria-label={`Accept ${item.label}`}
        title="Accept"
        onClick={() => accept.mutate()}
        loading={accept.isPending}
      >
        <IconCheck size={16} />
      </ActionIcon>
    </>
  );
}
