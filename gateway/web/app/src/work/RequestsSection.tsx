import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type MutationFunction, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { body } from '@/api/http';
import { workflow } from '@/api/services';
import { shortInstant } from '@/lib/dates';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { DateText } from '@/ui/DateText';
import { Section } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { AskClientDialog } from './AskClient';
import { type ClientRequest, type Job, workChanged } from './api';
import css from './JobPage.module.css';
import { RequestItemRow } from './RequestItemRow';

/** What was asked of the client and what came back. */
export function RequestsSection({ job }: { job: Job }) {
  const may = useMay();
  const [asking, setAsking] = useState(false);
  return (
    <Section
      title="Asked of the client"
      actions={
        may('workflow:jobs:act') &&
        job.status !== 'cancelled' && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setAsking(true)}
          >
            Ask for something
          </Button>
        )
      }
    >
      {job.requests.length === 0 && (
        <p className="quiet" style={{ margin: 0 }}>
          Nothing was asked of {job.client.name} for this job.
        </p>
      )}
      {job.requests.map((request) => (
        <Request key={request.id} request={request} />
      ))}
      <AskClientDialog job={job} opened={asking} onClose={() => setAsking(false)} />
    </Section>
  );
}

function Request({ request }: { request: ClientRequest }) {
  return (
    <article id={`request-${request.id}`} className={css.request}>
      <div className={css.requestHead}>
        <h3>{request.title}</h3>
        <Status value={request.status} />
        <Actions request={request} />
      </div>
      <Notes request={request} />
      {request.return_reason && request.status === 'returned' && (
        <p className="quiet">Returned: {request.return_reason}</p>
      )}
      <ul className={css.items}>
        {request.items.map((item) => (
          <RequestItemRow key={item.id} request={request} item={item} />
        ))}
      </ul>
    </article>
  );
}

function Notes({ request }: { request: ClientRequest }) {
  const notes = [
    request.sent_at ? `Sent ${shortInstant(request.sent_at)}` : 'Not sent yet',
    request.submitted_at && `handed in ${shortInstant(request.submitted_at)}`,
    request.reminders_sent > 0 &&
      `reminded ${request.reminders_sent === 1 ? 'once' : `${request.reminders_sent} times`}`,
  ].filter(Boolean);
  return (
    <div className="quiet" style={{ fontSize: 12 }}>
      {notes.join(' · ')}
      {request.due_on && (
        <>
          {' · due '}
          <DateText date={request.due_on} late={!request.decided_at && !request.submitted_at} />
        </>
      )}
    </div>
  );
}

const path = (request: ClientRequest) => ({ path: { request_id: request.id } });

function useRequestAct<Given>(act: MutationFunction<unknown, Given>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => workChanged(queries) });
}

function Actions({ request }: { request: ClientRequest }) {
  const may = useMay()('workflow:jobs:act');
  const send = useRequestAct(() =>
    body(workflow.POST('/requests/{request_id}/send', { params: path(request) })),
  );
  const accept = useRequestAct(() =>
    body(workflow.POST('/requests/{request_id}/accept', { params: path(request) })),
  );
  const giveBack = useRequestAct((reason: string) =>
    body(workflow.POST('/requests/{request_id}/return', { params: path(request), body: { reason } })),
  );
  const waive = useRequestAct((reason: string) =>
    body(workflow.POST('/requests/{request_id}/waive', { params: path(request), body: { reason } })),
  );
  if (!may) return null;

  const returnAsked = async () => {
    const reason = await ask({
      title: `Return “${request.title}”?`,
      text: 'The client sees the reason and can answer again. What waits for the request is blocked again.',
      act: 'Return it',
      reason: { label: 'What is missing' },
    });
    if (reason) giveBack.mutate(reason);
  };
  const waiveAsked = async () => {
    const reason = await ask({
      title: `Do without “${request.title}”?`,
      text: 'Reminders stop, and what waits for it goes on.',
      act: 'Do without it',
      reason: { label: 'Why' },
    });
    if (reason) waive.mutate(reason);
  };
  const unsent = request.status === 'draft' || request.status === 'scheduled';
  const lies = ['sent', 'viewed', 'partly_answered', 'returned'].includes(request.status);
  return (
    <div className={css.requestActions}>
      {unsent && (
        <Button size="xs" onClick={() => send.mutate(undefined)} loading={send.isPending}>
          Send
        </Button>
      )}
      {request.status === 'submitted' && (
        <>
          <Button size="xs" variant="default" onClick={returnAsked} loading={giveBack.isPending}>
            Return
          </Button>
          <Button size="xs" onClick={() => accept.mutate(undefined)} loading={accept.isPending}>
            Accept all
          </Button>
        </>
      )}
      {request.status === 'accepted' && (
        <Button size="xs" variant="subtle" color="gray" onClick={returnAsked}>
          Return
        </Button>
      )}
      {(unsent || lies) && (
        <Button size="xs" variant="subtle" color="gray" onClick={waiveAsked} loading={waive.isPending}>
          Do without
        </Button>
      )}
    </div>
  );
}
