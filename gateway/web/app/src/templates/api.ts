import {
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import type { components } from '@/api/generated/workflow';
import { body } from '@/api/http';
import { refresh } from '@/api/refresh';
import { workflow } from '@/api/services';

type Schemas = components['schemas'];
export type Template = Schemas['Template'];
export type TemplateSummary = Schemas['TemplateSummary'];
export type TemplateContent = Schemas['TemplateContent'];
export type DateRule = Schemas['DateRule'];
export type Preview = Schemas['Preview'];
export type PreviewRequest = Schemas['PreviewRequest'];

/** All templates in use. Firms have tens of them. */
export const templatesQuery = () =>
  queryOptions({
    queryKey: ['templates', 'list'],
    queryFn: () =>
      body(workflow.GET('/templates', { params: { query: { limit: 200 } } })).then(({ items }) => items),
  });

export const templateQuery = (template_id: string) =>
  queryOptions({
    queryKey: ['templates', 'one', template_id],
    queryFn: () => body(workflow.GET('/templates/{template_id}', { params: { path: { template_id } } })),
  });

/** What a job would look like: every date and owner, before anything is made. */
export const previewQuery = (template: { id: string; version: number }, ask: PreviewRequest) =>
  queryOptions({
    queryKey: ['templates', 'preview', template.id, template.version, ask],
    queryFn: () =>
      body(
        workflow.POST('/templates/{template_id}/preview', {
          params: { path: { template_id: template.id } },
          body: ask,
        }),
      ),
    placeholderData: keepPreviousData,
  });

const changed = (queries: QueryClient) => refresh(queries, 'templates');

const seen = (template: Template) => ({
  path: { template_id: template.id },
  header: { 'If-Match': `"${template.version}"` },
});

function useTemplateAct<Given>(act: (given: Given) => Promise<Template>, quiet = false) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (template) => queries.setQueryData(templateQuery(template.id).queryKey, template),
    onSettled: () => changed(queries),
    meta: { quiet },
  });
}

export const useCreateTemplate = () =>
  useTemplateAct(
    (given: Schemas['TemplateCreate']) => body(workflow.POST('/templates', { body: given })),
    true,
  );

export const useSaveDraft = () =>
  useTemplateAct(
    ({ template, content }: { template: Template; content: TemplateContent }) =>
      body(workflow.PUT('/templates/{template_id}/draft', { params: seen(template), body: content })),
    true,
  );

export const useChangeTemplate = () =>
  useTemplateAct(({ template, change }: { template: Template; change: Schemas['TemplateChange'] }) =>
    body(workflow.PATCH('/templates/{template_id}', { params: seen(template), body: change })),
  );

export const usePublish = () =>
  useTemplateAct((template_id: string) =>
    body(workflow.POST('/templates/{template_id}/publish', { params: { path: { template_id } } })),
  );

/** Templates a firm can begin with, by practice. */
export const startersQuery = () =>
  queryOptions({
    queryKey: ['starters'],
    queryFn: () => body(workflow.GET('/starter-templates')).then(({ items }) => items),
    staleTime: Number.POSITIVE_INFINITY,
  });

export function useTakeOver() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (practice: string) =>
      body(workflow.POST('/starter-templates/{practice}/take-over', { params: { path: { practice } } })),
    onSettled: () => changed(queries),
  });
}
