import { Alert, Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconListDetails, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { explain, fieldErrors } from '@/api/problem';
import { inWords } from '@/lib/durations';
import { useMay } from '@/session/me';
import { LinkButton } from '@/ui/LinkButton';
import list from '@/ui/List.module.css';
import { Page, Section } from '@/ui/Page';
import { Empty, Loaded, Rows } from '@/ui/states';
import { type TemplateSummary, templatesQuery, useCreateTemplate } from './api';
import { Starters } from './Starters';

/** The firm's recurring services. */
export function Templates() {
  const query = useQuery(templatesQuery());
  const may = useMay();
  const [creating, setCreating] = useState(false);
  const [starting, setStarting] = useState(false);
  const create = may('workflow:templates:write') && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      New template
    </Button>
  );
  return (
    <Page
      title="Templates"
      actions={
        may('workflow:templates:write') && (
          <>
            <Button variant="default" onClick={() => setStarting(true)}>
              Starter templates
            </Button>
            {create}
          </>
        )
      }
    >
      <Loaded query={query} what="Templates" skeleton={<Rows count={8} />}>
        {(templates) =>
          templates.length === 0 ? (
            <>
              <Empty icon={IconListDetails} title="No templates yet" action={create}>
                A template is a recurring service: its tasks, who does them, when they are due and what the
                client is asked for.
              </Empty>
              {may('workflow:templates:write') && (
                <Section title="Or begin with a practice">
                  <Starters />
                </Section>
              )}
            </>
          ) : (
            <ul className={list.list}>
              {templates.map((template) => (
                <Row key={template.id} template={template} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <Modal opened={starting} onClose={() => setStarting(false)} title="Starter templates">
        <Starters onDone={() => setStarting(false)} />
      </Modal>
      <Modal opened={creating} onClose={() => setCreating(false)} title="New template">
        <NewTemplate />
      </Modal>
    </Page>
  );
}

function Row({ template }: { template: TemplateSummary }) {
  const may = useMay();
  return (
    <li className={list.item}>
      <div className={list.main}>
        <div className={list.title}>
          <Link to="/templates/$templateId" params={{ templateId: template.id }}>
            <strong>{template.name}</strong>
          </Link>
          <span className="quiet" style={{ fontSize: 12 }}>
            {template.current_version ? `version ${template.current_version}` : 'not published yet'}
            {template.current_version && template.draft_differs ? ', draft differs' : ''}
          </span>
        </div>
        <div className={list.note}>
          {[
            template.service,
            `${template.tasks} ${template.tasks === 1 ? 'task' : 'tasks'}`,
            template.budget_minutes > 0 && inWords(template.budget_minutes),
            template.description,
          ]
            .filter(Boolean)
            .join(' · ')}
        </div>
      </div>
      {may('workflow:jobs:write') && template.current_version && (
        <LinkButton size="xs" variant="default" to="/work/new" search={{ template: template.id }}>
          Apply
        </LinkButton>
      )}
    </li>
  );
}

function NewTemplate() {
  const create = useCreateTemplate();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { name: '', service: '', description: '' },
    validate: { name: (name) => (name.trim() ? null : 'A template needs a name') },
  });
  const submit = (values: typeof form.values) =>
    create.mutate(values, {
      onSuccess: ({ id }) => navigate({ to: '/templates/$templateId', params: { templateId: id } }),
      onError: (error) => form.setErrors(fieldErrors(error)),
    });
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md">
        {create.error && <Alert color="red">{explain(create.error)}</Alert>}
        <TextInput
          label="Name"
          placeholder="VAT return"
          data-autofocus
          maxLength={200}
          {...form.getInputProps('name')}
        />
        <TextInput
          label="Service"
          placeholder="vat"
          description="One word that jobs, rates and reports are grouped by"
          maxLength={60}
          {...form.getInputProps('service')}
        />
        <Textarea
          label="What it is for"
          autosize
          minRows={2}
          maxLength={5000}
          {...form.getInputProps('description')}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={create.isPending}>
            Begin the template
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
