import { Alert, Button, Group, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { components } from '@/api/generated/workflow';
import { body } from '@/api/http';
import { explain, isProblem } from '@/api/problem';
import { workflow } from '@/api/services';
import { engagementsQuery } from '@/clients/api';
import { ClientSelect } from '@/clients/ClientSelect';
import { sentence } from '@/lib/status';
import { useStaffOptions } from '@/session/staff';
import { type Preview, previewQuery, templatesQuery } from '@/templates/api';
import editor from '@/templates/Editor.module.css';
import { commonPeriods, type Period, PeriodField } from '@/templates/PeriodField';
import { PlanPreview } from '@/templates/PlanPreview';
import { ask } from '@/ui/ask';
import { DateField } from '@/ui/DateField';
import { Page } from '@/ui/Page';
import { Rows } from '@/ui/states';
import { failed } from '@/ui/toasts';
import { workChanged } from './api';

type JobCreate = components['schemas']['JobCreate'];
const FREE = 'free';

/** A template applied to a client, with every date and owner shown before anything is made; or a job from nothing. */
export function StartJob() {
  const given = useSearch({ from: '/framed/work/new' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const templates = useQuery(templatesQuery());
  const staff = useStaffOptions();
  const [client, setClient] = useState<string | null>(given.client ?? null);
  const [template, setTemplate] = useState<string | null>(given.template ?? null);
  const [period, setPeriod] = useState<Period>(commonPeriods()[0]);
  const [engagement, setEngagement] = useState<string | null>(null);
  const [title, setTitle] = useState('');
  const [due, setDue] = useState<string | null>(null);
  const [owner, setOwner] = useState<string | null>(null);
  const [people, setPeople] = useState<Record<string, string>>({});
  const engagements = useQuery({ ...engagementsQuery(client ?? ''), enabled: client !== null });

  const free = template === FREE;
  const plan = {
    client_id: client ?? '',
    engagement_id: engagement,
    owner_id: owner,
    period_start: period?.start ?? null,
    period_end: period?.end ?? null,
    people: Object.entries(people).map(([role, staff_id]) => ({ role, staff_id })),
  };
  const found = templates.data?.find(({ id }) => id === template);
  const preview = useQuery({
    ...previewQuery(found ?? { id: '', version: 0 }, plan),
    enabled: Boolean(client && found),
  });

  const create = useMutation({
    mutationFn: (job: JobCreate) => body(workflow.POST('/jobs', { body: job })),
    meta: { quiet: true },
    onSuccess: ({ id }) => {
      workChanged(queries);
      navigate({ to: '/work/jobs/$jobId', params: { jobId: id } });
    },
    onError: async (error, job) => {
      if (!isProblem(error) || error.code !== 'period_already_made') return failed(error);
      const yes = await ask({
        title: 'This job exists already',
        text: 'The template was applied to this client for this period before. Make it once more?',
        act: 'Make it again',
      });
      if (yes !== null) create.mutate({ ...job, again: true });
    },
  });
  const ready = client && (free ? title.trim() : found);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    create.mutate({
      ...plan,
      ...(free ? { title: title.trim(), internal_due_on: due } : { template_id: template }),
    });
  };

  return (
    <Page title="Start a job" trail={<Link to="/work">Work</Link>}>
      <form onSubmit={submit} className={editor.columns}>
        <Stack gap="md" maw={520}>
          <ClientSelect value={client} onChange={setClient} autoFocus={!client} />
          <Select
            label="Template"
            placeholder="What is to be done"
            searchable
            data={[
              ...(templates.data ?? [])
                .filter(({ current_version }) => current_version)
                .map(({ id, name }) => ({ value: id, label: name })),
              { value: FREE, label: 'Without a template' },
            ]}
            value={template}
            onChange={(id) => {
              setTemplate(id);
              setPeople({});
            }}
          />
          {free && (
            <TextInput
              label="Title"
              required
              withAsterisk={false}
              maxLength={200}
              value={title}
              onChange={(event) => setTitle(event.currentTarget.value)}
            />
          )}
          {free && <DateField label="Due" clearable value={due} onChange={setDue} />}
          <PeriodField value={period} onChange={setPeriod} />
          {(engagements.data?.length ?? 0) > 0 && (
            <Select
              label="Engagement"
              placeholder="None"
              clearable
              data={engagements.data
                ?.filter(({ status }) => status === 'open')
                .map((one) => ({ value: one.id, label: one.title }))}
              value={engagement}
              onChange={setEngagement}
            />
          )}
          <Select
            label="Owner"
            placeholder={free ? 'Nobody yet' : 'As the template says'}
            clearable
            searchable
            data={staff}
            value={owner}
            onChange={setOwner}
          />
          {preview.data && (
            <RolePeople preview={preview.data} people={people} onChange={setPeople} staff={staff} />
          )}
          <Group justify="flex-end">
            <Button type="submit" disabled={!ready} loading={create.isPending}>
              Start the job
            </Button>
          </Group>
        </Stack>
        <aside className={editor.preview} aria-label="Preview">
          {preview.error && <Alert color="red">{explain(preview.error)}</Alert>}
          {found && client ? (
            preview.data ? (
              <PlanPreview preview={preview.data} />
            ) : (
              preview.isFetching && <Rows count={5} />
            )
          ) : (
            <span className="quiet">
              {free
                ? 'An empty job: you add its tasks yourself.'
                : 'Choose a client and a template to see every date and owner before anything is made.'}
            </span>
          )}
        </aside>
      </form>
    </Page>
  );
}

type RoleProps = {
  preview: Preview;
  people: Record<string, string>;
  onChange: (people: Record<string, string>) => void;
  staff: { value: string; label: string }[];
};

/** Who has each job role this time; what is not said here comes from the engagement, the client or the template. */
function RolePeople({ preview, people, onChange, staff }: RoleProps) {
  const roles = [
    ...new Map(preview.tasks.filter(({ role }) => role).map(({ role, owner }) => [role, owner])),
  ];
  return roles.map(([role, owner]) => (
    <Select
      key={role}
      label={sentence(role)}
      placeholder={owner?.name ?? 'Nobody yet'}
      clearable
      searchable
      data={staff}
      value={people[role] ?? null}
      onChange={(id) => {
        const { [role]: _gone, ...rest } = people;
        onChange(id ? { ...rest, [role]: id } : rest);
      }}
    />
  ));
}
