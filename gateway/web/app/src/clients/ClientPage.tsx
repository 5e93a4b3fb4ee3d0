import { Button } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { isProblem } from '@/api/problem';
import { DocumentsSection } from '@/documents/DocumentsSection';
import { NotFound } from '@/frame/Lost';
import { useMay } from '@/session/me';
import { LinkButton } from '@/ui/LinkButton';
import { Page } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { Failed, Rows } from '@/ui/states';
import jobCss from '@/work/JobPage.module.css';
import { type Client, clientQuery } from './api';
import { ClientDialog } from './ClientDialog';
import { ClientFacts } from './ClientFacts';
import { ClientJobs } from './ClientJobs';
import { ClientMenu } from './ClientMenu';
import { ClientMoney } from './ClientMoney';
import { ContactsSection } from './ContactsSection';
import { EngagementsSection } from './EngagementsSection';

/** One client: who they are, what was agreed, what is under way and what they owe. */
export function ClientPage() {
  const { clientId } = useParams({ from: '/framed/clients/$clientId' });
  const query = useQuery(clientQuery(clientId));
  if (query.data) return <Loaded client={query.data} />;
  if (isProblem(query.error, 404)) return <NotFound />;
  return (
    <Page title="Client">
      {query.error ? (
        <Failed error={query.error} what="This client" retry={() => query.refetch()} />
      ) : (
        <Rows count={8} />
      )}
    </Page>
  );
}

function Loaded({ client }: { client: Client }) {
  const may = useMay();
  const [editing, setEditing] = useState(false);
  return (
    <Page
      title={client.name}
      trail={<Link to="/clients">Clients</Link>}
      beside={<Status value={client.status} />}
      facts={
        <>
          <span>{client.number}</span>
          {client.visible_to && (
            <span style={{ display: 'inline-flex', alignItems: 'center', gap: 4 }}>
              <IconLock size={14} aria-hidden /> Private: seen by{' '}
              {client.visible_to.map((person) => person?.name).join(', ')}
            </span>
          )}
          {client.tags.length > 0 && <span>{client.tags.join(', ')}</span>}
        </>
      }
      actions={
        <>
          {may('workflow:jobs:write') && client.status !== 'former' && (
            <LinkButton to="/work/new" search={{ client: client.id }} variant="default">
              Start a job
            </LinkButton>
          )}
          {may('clients:clients:write') && (
            <Button variant="default" onClick={() => setEditing(true)}>
              Edit
            </Button>
          )}
          {may('clients:clients:act') && <ClientMenu client={client} />}
        </>
      }
    >
      <div className={jobCss.columns}>
        <div className={jobCss.main}>
          {may('workflow:jobs:read') && <ClientJobs clientId={client.id} />}
          <ContactsSection client={client} />
          {may('clients:engagements:read') && <EngagementsSection client={client} />}
          {may('documents:documents:read') && <DocumentsSection clientId={client.id} />}
        </div>
        <div className={jobCss.side}>
          <ClientFacts client={client} />
          {may('timebilling:wip:read') && <ClientMoney clientId={client.id} />}
        </div>
      </div>
      <ClientDialog opened={editing} onClose={() => setEditing(false)} client={client} />
    </Page>
  );
}
