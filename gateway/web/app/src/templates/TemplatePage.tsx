import { ActionIcon, Alert, Button, Menu } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconArchive, IconDots } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useBlocker, useNavigate, useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { explain, fieldErrors, isProblem } from '@/api/problem';
import { NotFound } from '@/frame/Lost';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import { Page } from '@/ui/Page';
import { Failed, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { type Template, templateQuery, useChangeTemplate, usePublish, useSaveDraft } from './api';
import { type Draft, toContent, toDraft } from './draft';
import css from './Editor.module.css';
import { GeneralEditor } from './GeneralEditor';
import { RequestsEditor } from './RequestsEditor';
import { RolesEditor } from './RolesEditor';
import { TasksEditor } from './TasksEditor';
import { TryOut } from './TryOut';

/** The editor of one template: its draft, and beside it what a real job made from it would look like. */
export function TemplatePage() {
  const { templateId } = useParams({ from: '/framed/templates/$templateId' });
  const query = useQuery(templateQuery(templateId));
  if (query.data) return <Editor key={templateId} template={query.data} />;
  if (isProblem(query.error, 404)) return <NotFound />;
  return (
    <Page title="Template">
      {query.error ? (
        <Failed error={query.error} what="This template" retry={() => query.refetch()} />
      ) : (
        <Rows count={10} />
      )}
    </Page>
  );
}

function Editor({ template }: { template: Template }) {
  const may = useMay();
  const writes = may('workflow:templates:write');
  const save = useSaveDraft();
  const publish = usePublish();
  const initialValues = useMemo(() => toDraft(template.draft), [template.draft]);
  const form = useForm<Draft>({
    initialValues,
    validate: {
      tasks: { title: (title) => (title.trim() ? null : 'A task needs a title') },
      requests: { title: (title) => (title.trim() ? null : 'A request needs a title') },
    },
  });
  const dirty = form.isDirty();

  useBlocker({
    shouldBlockFn: async () =>
      dirty &&
      (await ask({
        title: 'Leave without saving?',
        text: 'What you changed in this draft is lost.',
        act: 'Leave',
        danger: true,
      })) === null,
    enableBeforeUnload: dirty,
  });

  const saveDraft = async (): Promise<Template | null> => {
    if (form.validate().hasErrors) return null;
    try {
      const saved = await save.mutateAsync({ template, content: toContent(form.values) });
      form.resetDirty();
      return saved;
    } catch (error) {
      form.setErrors(fieldErrors(error));
      return null;
    }
  };
  const saveClicked = async () => {
    if (await saveDraft()) said('Draft saved');
  };
  const publishClicked = async () => {
    if (dirty && !(await saveDraft())) return;
    publish.mutate(template.id, {
      onSuccess: ({ current_version }) => said(`Version ${current_version} is published`),
    });
  };
  const steps = [
    ...form.values.tasks.map(({ key, title }) => ({ key, title, kind: 'task' as const })),
    ...form.values.requests.map(({ key, title }) => ({ key, title, kind: 'request' as const })),
  ];
  return (
    <Page
      title={template.name}
      trail={<Link to="/templates">Templates</Link>}
      facts={
        <>
          {template.service && <span>{template.service}</span>}
          <span>
            {template.current_version ? `Version ${template.current_version} is in use` : 'Not published yet'}
          </span>
          {dirty ? (
            <span>Unsaved changes</span>
          ) : (
            template.draft_differs && <span>The draft differs from it</span>
          )}
        </>
      }
      actions={
        writes && (
          <>
            <Button variant="default" disabled={!dirty} loading={save.isPending} onClick={saveClicked}>
              Save draft
            </Button>
            <Button
              disabled={!dirty && !template.draft_differs}
              loading={publish.isPending}
              onClick={publishClicked}
            >
              Publish
            </Button>
            <TemplateMenu template={template} />
          </>
        )
      }
    >
      {save.error && (
        <Alert color="red" role="alert" title="The draft was not saved">
          {explain(save.error)}
        </Alert>
      )}
      <div className={css.columns}>
        <fieldset className={css.fieldset} disabled={!writes}>
          <div className={css.sections}>
            <TasksEditor form={form} steps={steps} />
            <RequestsEditor form={form} steps={steps} />
            <RolesEditor form={form} />
            <GeneralEditor form={form} steps={steps} />
          </div>
        </fieldset>
        <TryOut template={template} dirty={dirty} />
      </div>
    </Page>
  );
}

function TemplateMenu({ template }: { template: Template }) {
  const change = useChangeTemplate();
  const navigate = useNavigate();
  const archiveAsked = async () => {
    const yes = await ask({
      title: `Archive “${template.name}”?`,
      text: 'No new jobs are made from it. Jobs that exist stay as they are.',
      act: 'Archive',
    });
    if (yes !== null)
      change.mutate(
        { template, change: { archived: true } },
        { onSuccess: () => navigate({ to: '/templates' }) },
      );
  };
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="More for this template">
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {template.archived ? (
          <Menu.Item
            leftSection={<IconArchive size={16} />}
            onClick={() => change.mutate({ template, change: { archived: false } })}
          >
            Take back into use
          </Menu.Item>
        ) : (
          <Menu.Item leftSection={<IconArchive size={16} />} onClick={archiveAsked}>
            Archive …
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
