import {
  ActionIcon,
  Alert,
  Button,
  Checkbox,
  Group,
  Menu,
  Modal,
  Stack,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconBan, IconDots, IconMail, IconPlus, IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { explain, fieldErrors } from '@/api/problem';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Person } from '@/ui/Person';
import { Empty } from '@/ui/states';
import { said } from '@/ui/toasts';
import { type Client, type ClientContact, useCreateContact, useEndPortalAccess, useInvite } from './api';

/** The people who act for the client, and whether they may use the portal. */
export function ContactsSection({ client }: { client: Client }) {
  const may = useMay()('clients:contacts:write');
  const [adding, setAdding] = useState(false);
  return (
    <Section
      title="Contacts"
      count={client.contacts.length || undefined}
      actions={
        may && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => setAdding(true)}
          >
            Add a contact
          </Button>
        )
      }
    >
      {client.contacts.length === 0 ? (
        <Empty icon={IconUserPlus} title="Nobody acts for this client yet">
          Add a contact and invite them to the portal: they answer requests, send files and see invoices
          there.
        </Empty>
      ) : (
        <ul className={list.list}>
          {client.contacts.map((contact) => (
            <Contact key={contact.id} contact={contact} may={may} />
          ))}
        </ul>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title={`A contact of ${client.name}`}>
        <AddContact client={client} onClose={() => setAdding(false)} />
      </Modal>
    </Section>
  );
}

function Contact({ contact, may }: { contact: ClientContact; may: boolean }) {
  const invite = useInvite();
  const endAccess = useEndPortalAccess();
  const inviteNow = () =>
    invite.mutate(contact.id, { onSuccess: () => said(`${contact.name} is invited to the portal`) });
  const end = async () => {
    const yes = await ask({
      title: `End portal access of ${contact.name}?`,
      text: 'They are signed out and can no longer see anything there.',
      act: 'End access',
      danger: true,
    });
    if (yes !== null) endAccess.mutate(contact.id);
  };
  return (
    <li className={list.item}>
      <div className={list.main}>
        <Person name={contact.name} />
        <div className={list.note} style={{ paddingLeft: 32 }}>
          {[contact.roles.join(', '), contact.email].filter(Boolean).join(' · ')}
        </div>
      </div>
      <div className={list.end}>
        {contact.portal_access && <span className="quiet">Uses the portal</span>}
        {may && !contact.portal_access && contact.email && (
          <Button size="xs" variant="default" onClick={inviteNow} loading={invite.isPending}>
            Invite to portal
          </Button>
        )}
        {may && contact.portal_access && (
          <Menu position="bottom-end" width={180}>
            <Menu.Target>
              <ActionIcon
                size={28}
                aria-label={`More for ${contact.name}`}
                loading={invite.isPending || endAccess.isPending}
              >
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconMail size={16} />} onClick={inviteNow}>
                Invite again
              </Menu.Item>
              <Menu.Item leftSection={<IconBan size={16} />} color="red" onClick={end}>
                End access …
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
    </li>
  );
}

function AddContact({ client, onClose }: { client: Client; onClose: () => void }) {
  const create = useCreateContact();
  const form = useForm({
    initialValues: { name: '', email: '', phone: '', roles: [] as string[], portal_access: false },
    validate: {
      name: (name) => (name.trim() ? null : 'A contact needs a name'),
      email: (email, { portal_access }) =>
        portal_access && !email.trim() ? 'The portal needs an e-mail address to send the code to' : null,
      roles: (roles) => (roles.length > 0 ? null : 'Say what they are at the client, e.g. director'),
    },
  });
  const submit = ({ name, email, phone, roles, portal_access }: typeof form.values) =>
    create.mutate(
      {
        name: name.trim(),
        email: email.trim() || null,
        phone: phone.trim() || null,
        portal_access,
        clients: [{ client_id: client.id, roles }],
      },
      { onSuccess: onClose, onError: (error) => form.setErrors(fieldErrors(error)) },
    );
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md">
        {create.error && <Alert color="red">{explain(create.error)}</Alert>}
        <TextInput label="Name" data-autofocus maxLength={200} {...form.getInputProps('name')} />
        <TextInput label="E-mail" type="email" {...form.getInputProps('email')} />
        <TextInput label="Phone" type="tel" {...form.getInputProps('phone')} />
        <TagsInput
          label="Role at the client"
          placeholder={form.values.roles.length > 0 ? undefined : 'director, bookkeeper …'}
          data={['director', 'owner', 'bookkeeper', 'spouse', 'trustee', 'partner']}
          {...form.getInputProps('roles')}
        />
        <Checkbox
          label="Invite to the portal"
          description="They get a mail and sign in with a code; no password."
          {...form.getInputProps('portal_access', { type: 'checkbox' })}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending}>
            Add the contact
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
