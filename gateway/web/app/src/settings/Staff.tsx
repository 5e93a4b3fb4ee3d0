import {
  ActionIcon,
  Button,
  Menu,
  Modal,
  MultiSelect,
  NumberInput,
  Select,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconDots, IconPlus } from '@tabler/icons-react';
import { type MutationFunction, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { components } from '@/api/generated/identity';
import { body } from '@/api/http';
import { fieldErrors } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { identity } from '@/api/services';
import { shortInstant } from '@/lib/dates';
import { sentence } from '@/lib/status';
import { useMay, useMe } from '@/session/me';
import { staffQuery } from '@/session/staff';
import { ask } from '@/ui/ask';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Person } from '@/ui/Person';
import { Loaded, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { FormBody } from './form';

type Schemas = components['schemas'];
type Member = Schemas['Staff'];

const roles: Schemas['Role'][] = ['owner', 'partner', 'manager', 'staff', 'billing', 'readonly'];
const grades: Schemas['Grade'][] = ['partner', 'manager', 'senior', 'junior'];
const options = (codes: readonly string[]) => codes.map((value) => ({ value, label: sentence(value) }));

function useStaffAct<Given>(act: MutationFunction<Member, Given>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => refresh(queries, 'staff'),
    meta: { quiet },
  });
}

/** Who works here, what they may do (roles) and what they charge by (grade). */
export function Staff() {
  const query = useQuery(staffQuery());
  const may = useMay()('identity:staff:write');
  const [editing, setEditing] = useState<Member | 'new' | null>(null);
  return (
    <>
      <Loaded query={query} what="Staff" skeleton={<Rows count={8} />}>
        {(everyone) => (
          <>
            <Section
              title="Who works here"
              count={everyone.filter(({ active }) => active).length}
              actions={
                may && (
                  <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => setEditing('new')}>
                    Invite someone
                  </Button>
                )
              }
            >
              <ul className={list.list}>
                {everyone
                  .filter(({ active }) => active)
                  .map((member) => (
                    <MemberRow key={member.id} member={member} may={may} onEdit={() => setEditing(member)} />
                  ))}
              </ul>
            </Section>
            {everyone.some(({ active }) => !active) && (
              <Section title="Who did">
                <ul className={list.list}>
                  {everyone
                    .filter(({ active }) => !active)
                    .map((member) => (
                      <MemberRow
                        key={member.id}
                        member={member}
                        may={may}
                        onEdit={() => setEditing(member)}
                      />
                    ))}
                </ul>
              </Section>
            )}
          </>
        )}
      </Loaded>
      <Modal
        opened={editing !== null}
        onClose={() => setEditing(null)}
        title={editing === 'new' ? 'Invite someone' : editing?.name}
      >
        {editing !== null && (
          <MemberForm member={editing === 'new' ? undefined : editing} onClose={() => setEditing(null)} />
        )}
      </Modal>
    </>
  );
}

function MemberRow({ member, may, onEdit }: { member: Member; may: boolean; onEdit: () => void }) {
  const { data: me } = useMe();
  const path = { params: { path: { staff_id: member.id } } };
  const invite = useStaffAct(() => body(identity.POST('/staff/{staff_id}/invite', path)));
  const deactivate = useStaffAct(() => body(identity.POST('/staff/{staff_id}/deactivate', path)));
  const reactivate = useStaffAct(() => body(identity.POST('/staff/{staff_id}/reactivate', path)));
  const endAsked = async () => {
    const yes = await ask({
      title: `End ${member.name}’s access?`,
      text: 'They are signed out everywhere. What they did stays under their name.',
      act: 'End access',
      danger: true,
    });
    if (yes !== null) deactivate.mutate(undefined);
  };
  const seen =
    member.status === 'invited'
      ? 'invited, not here yet'
      : member.last_sign_in_at
        ? `last here ${shortInstant(member.last_sign_in_at)}`
        : '';
  return (
    <li className={list.item}>
      <div className={list.main}>
        <Person name={member.name} />
        <div className={list.note} style={{ paddingLeft: 32 }}>
          {[member.email, member.roles.map(sentence).join(', '), seen].filter(Boolean).join(' · ')}
        </div>
      </div>
      <div className={list.end}>
        <span className="quiet">{sentence(member.grade)}</span>
        {may && (
          <Menu position="bottom-end" width={180}>
            <Menu.Target>
              <ActionIcon size={28} aria-label={`More for ${member.name}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {member.active && <Menu.Item onClick={onEdit}>Change …</Menu.Item>}
              {member.status === 'invited' && (
                <Menu.Item
                  onClick={() =>
                    invite.mutate(undefined, {
                      onSuccess: () => said(`${member.name} gets a new invitation`),
                    })
                  }
                >
                  Invite again
                </Menu.Item>
              )}
              {member.active && member.id !== me?.id && (
                <Menu.Item color="red" onClick={endAsked}>
                  End access …
                </Menu.Item>
              )}
              {!member.active && (
                <Menu.Item onClick={() => reactivate.mutate(undefined)}>Give access again</Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
    </li>
  );
}

function MemberForm({ member, onClose }: { member?: Member; onClose: () => void }) {
  const form = useForm({
    initialValues: {
      name: member?.name ?? '',
      email: member?.email ?? '',
      roles: member?.roles ?? (['staff'] as Schemas['Role'][]),
      grade: member?.grade ?? ('senior' as Schemas['Grade']),
      hours: (member?.weekly_capacity_minutes ?? 2250) / 60,
      skills: member?.skills ?? [],
    },
    validate: {
      name: (name) => (name.trim() ? null : 'A name is needed'),
      roles: (chosen) => (chosen.length > 0 ? null : 'At least one role'),
    },
  });
  const save = useStaffAct(({ hours, email, ...rest }: typeof form.values) => {
    const fields = { ...rest, weekly_capacity_minutes: Math.round(hours * 60) };
    if (!member) return body(identity.POST('/staff', { body: { ...fields, email: email.trim() } }));
    return body(
      identity.PATCH('/staff/{staff_id}', {
        params: { path: { staff_id: member.id }, header: { 'If-Match': `"${member.version}"` } },
        body: fields,
      }),
    );
  }, true);
  const submit = (values: typeof form.values) =>
    save.mutate(values, {
      onSuccess: ({ name }) => {
        said(member ? 'Saved' : `${name} is invited by mail`);
        onClose();
      },
      onError: (error) => form.setErrors(fieldErrors(error)),
    });
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <FormBody error={save.error} saving={save.isPending} act={member ? 'Save' : 'Invite'}>
        <TextInput label="Name" data-autofocus maxLength={200} {...form.getInputProps('name')} />
        <TextInput
          label="E-mail"
          type="email"
          required
          withAsterisk={false}
          disabled={Boolean(member)}
          {...form.getInputProps('email')}
        />
        <MultiSelect
          label="Roles"
          description="What they may do"
          data={options(roles)}
          {...form.getInputProps('roles')}
        />
        <Select
          label="Grade"
          description="What rates go by"
          allowDeselect={false}
          data={options(grades)}
          {...form.getInputProps('grade')}
        />
        <NumberInput
          label="Hours a week"
          min={0}
          max={168}
          decimalScale={2}
          {...form.getInputProps('hours')}
        />
        <TagsInput
          label="Skills"
          placeholder={form.values.skills.length > 0 ? undefined : 'Type one, then Enter'}
          {...form.getInputProps('skills')}
        />
      </FormBody>
    </form>
  );
}
