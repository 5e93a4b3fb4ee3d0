import { Alert, Button, CopyButton, Modal, MultiSelect, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconApi, IconPlus } from '@tabler/icons-react';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { components } from '@/api/generated/identity';
import { body } from '@/api/http';
import { fieldErrors } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { identity } from '@/api/services';
import { shortInstant } from '@/lib/dates';
import { useMe } from '@/session/me';
import { ask } from '@/ui/ask';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Empty, Loaded, Rows } from '@/ui/states';
import { FormBody } from './form';
import css from './Settings.module.css';

type ApiClient = components['schemas']['ApiClient'];
type WithSecret = components['schemas']['ApiClientWithSecret'];

const apiClientsQuery = () =>
  queryOptions({
    queryKey: ['api-clients'],
    queryFn: () =>
      body(identity.GET('/api-clients', { params: { query: { limit: 200 } } })).then(({ items }) => items),
  });

/** Partner systems that work with the firm's data, each with the permissions it needs and no more. */
export function ApiClients() {
  const query = useQuery(apiClientsQuery());
  const [creating, setCreating] = useState(false);
  return (
    <Section
      title="Partner systems"
      actions={
        <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setCreating(true)}>
          Give access
        </Button>
      }
    >
      <Loaded query={query} what="API clients" skeleton={<Rows count={3} />}>
        {(clients) =>
          clients.length === 0 ? (
            <Empty icon={IconApi} title="No partner system has access">
              What staff can do on a screen, a system can do by the API. The{' '}
              <a href="/api/docs/">reference</a> begins with the first five minutes.
            </Empty>
          ) : (
            <ul className={list.list}>
              {clients.map((client) => (
                <Row key={client.id} client={client} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <Modal
        opened={creating}
        onClose={() => setCreating(false)}
        title="Give a partner system access"
        closeOnClickOutside={false}
      >
        <Create onDone={() => setCreating(false)} />
      </Modal>
    </Section>
  );
}

function Row({ client }: { client: ApiClient }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      body(
        identity.POST('/api-clients/{api_client_id}/revoke', {
          params: { path: { api_client_id: client.id } },
        }),
      ),
    onSettled: () => refresh(queries, 'api-clients'),
  });
  const revokeAsked = async () => {
    const yes = await ask({
      title: `Take ${client.name}’s access away?`,
      text: 'It gets no more tokens; those it holds end within ten minutes. This can’t be undone.',
      act: 'Take it away',
      danger: true,
    });
    if (yes !== null) revoke.mutate();
  };
  return (
    <li className={list.item}>
      <div className={list.main}>
        <strong>{client.name}</strong>
        <div className={list.note}>
          {client.client_id} · {client.scopes.join(', ')} ·{' '}
          {client.last_used_at ? `last used ${shortInstant(client.last_used_at)}` : 'never used'}
        </div>
      </div>
      {client.revoked_at ? (
        <span className="quiet">Revoked {shortInstant(client.revoked_at)}</span>
      ) : (
        <Button size="xs" variant="subtle" color="gray" onClick={revokeAsked} loading={revoke.isPending}>
          Revoke
        </Button>
      )}
    </li>
  );
}

function Create({ onDone }: { onDone: () => void }) {
  const { data: me } = useMe();
  const queries = useQueryClient();
  const permissions = useQuery({
    queryKey: ['permissions'],
    queryFn: () => body(identity.GET('/permissions')).then(({ items }) => items),
  });
  const [made, setMade] = useState<WithSecret | null>(null);
  const form = useForm({
    initialValues: { name: '', scopes: [] as string[] },
    validate: {
      name: (name) => (name.trim() ? null : 'What is the system called?'),
      scopes: (scopes) => (scopes.length > 0 ? null : 'At least one permission'),
    },
  });
  const create = useMutation({
    mutationFn: (given: typeof form.values) => body(identity.POST('/api-clients', { body: given })),
    meta: { quiet: true },
    onSuccess: setMade,
    onError: (error) => form.setErrors(fieldErrors(error)),
    onSettled: () => refresh(queries, 'api-clients'),
  });
  if (made) return <Secret made={made} onDone={onDone} />;
  const mine = (permissions.data ?? []).filter(({ name }) => me?.permissions.includes(name));
  return (
    <form onSubmit={form.onSubmit((values) => create.mutate(values))}>
      <FormBody error={create.error} saving={create.isPending} act="Give access">
        <TextInput
          label="Name"
          placeholder="Payroll bridge"
          data-autofocus
          maxLength={200}
          {...form.getInputProps('name')}
        />
        <MultiSelect
          label="What it may do"
          searchable
          data={mine.map(({ name, says }) => ({ value: name, label: `${name} — ${says}` }))}
          {...form.getInputProps('scopes')}
        />
      </FormBody>
    </form>
  );
}

function Secret({ made, onDone }: { made: WithSecret; onDone: () => void }) {
  return (
    <Stack gap="md">
      <Alert variant="light">
        The secret is shown this once. Keep it where the partner system keeps its secrets.
      </Alert>
      <div>
        Client id
        <div className={css.secret}>{made.client_id}</div>
      </div>
      <div>
        Secret
        <div className={css.secret}>{made.client_secret}</div>
      </div>
      <CopyButton value={made.client_secret}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy}>
            {copied ? 'Copied' : 'Copy the secret'}
          </Button>
        )}
      </CopyButton>
      <Button onClick={onDone}>I have it</Button>
    </Stack>
  );
}
