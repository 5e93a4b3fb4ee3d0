import { ColorInput, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { components } from '@/api/generated/portal';
import { body } from '@/api/http';
import { fieldErrors } from '@/api/problem';
import { refresh } from '@/api/refresh';
import { portal } from '@/api/services';
import { useMay } from '@/session/me';
import { Section } from '@/ui/Page';
import { Loaded, Rows } from '@/ui/states';
import { said } from '@/ui/toasts';
import { FormBody } from './form';

type Branding = components['schemas']['Branding'];

const brandingQuery = () =>
  queryOptions({ queryKey: ['branding'], queryFn: () => body(portal.GET('/branding')) });

/** How the firm presents itself to its clients, in the portal and on invoices. */
export function Portal() {
  const query = useQuery(brandingQuery());
  return (
    <Section title="How clients see the firm">
      <Loaded query={query} what="The branding" skeleton={<Rows count={4} />}>
        {(branding) => <BrandingForm key={branding.version} branding={branding} />}
      </Loaded>
    </Section>
  );
}

function BrandingForm({ branding }: { branding: Branding }) {
  const may = useMay();
  const queries = useQueryClient();
  const { version, ...values } = branding;
  const form = useForm({ initialValues: values });
  const save = useMutation({
    mutationFn: (given: typeof values) =>
      body(portal.PATCH('/branding', { params: { header: { 'If-Match': `"${version}"` } }, body: given })),
    meta: { quiet: true },
    onSuccess: () => said('Saved. New invoices and the portal use it.'),
    onError: (error) => form.setErrors(fieldErrors(error)),
    onSettled: () => refresh(queries, 'branding'),
  });
  return (
    <form onSubmit={form.onSubmit((given) => save.mutate(given))}>
      <FormBody
        error={save.error}
        saving={save.isPending}
        dirty={form.isDirty()}
        mayWrite={may('portal:branding:write')}
      >
        <TextInput label="Name that clients see" maxLength={120} {...form.getInputProps('display_name')} />
        <ColorInput
          label="Colour"
          description="Dark enough to be read on white"
          format="hex"
          withEyeDropper={false}
          {...form.getInputProps('accent')}
        />
        <Textarea
          label="Address on invoices"
          autosize
          minRows={3}
          maxLength={500}
          {...form.getInputProps('address')}
        />
        <Textarea
          label="Foot of invoices"
          description="Registration, bank details"
          autosize
          minRows={2}
          maxLength={500}
          {...form.getInputProps('footer')}
        />
      </FormBody>
    </form>
  );
}
