import {
  Alert,
  Anchor,
  Button,
  Divider,
  Group,
  PasswordInput,
  Select,
  Skeleton,
  Stack,
  TextInput,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { body, quietly } from '@/api/http';
import { explain, fieldErrors } from '@/api/problem';
import { identity } from '@/api/services';
import { countries, currencies, currencyOf, timeZones } from '@/lib/places';
import { Loaded } from '@/ui/states';
import { Door } from './Door';
import { setUpQuery } from './setUpState';
import { useMailedToken } from './token';

/** The first firm of an installation and its owner. */
export function SetUp() {
  const state = useQuery(setUpQuery());
  const token = useMailedToken();
  return (
    <Door
      title="Set up your firm"
      wide
      intro="Two minutes: the firm, and you as its owner. Everything here can be changed later."
    >
      <Loaded query={state} what="The state of this installation" skeleton={<Skeleton height={320} />}>
        {({ needed }) =>
          needed || token ? (
            <SetUpForm token={token} />
          ) : (
            <Stack>
              <Alert variant="light">
                This installation already has a firm. Another one needs a set-up token from its operator.
              </Alert>
              <Anchor component={Link} to="/sign-in">
                Go to sign in
              </Anchor>
            </Stack>
          )
        }
      </Loaded>
    </Door>
  );
}

function SetUpForm({ token: mailed }: { token: string }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: {
      token: mailed,
      firm: {
        name: '',
        country: guessCountry(),
        currency: currencyOf(guessCountry()),
        time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      },
      owner: { name: '', email: '', password: '' },
    },
    validate: {
      owner: { password: (value) => (value.length < 12 ? 'At least 12 characters' : null) },
    },
  });
  const setUp = useMutation({
    mutationFn: async (values: typeof form.values) => {
      await body(identity.POST('/setup', { body: values, headers: quietly }));
      const { email, password } = values.owner;
      return body(identity.POST('/sessions', { body: { email, password }, headers: quietly }));
    },
    meta: { quiet: true },
    onSuccess: async () => {
      queries.clear();
      await navigate({ to: '/' });
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  const shownAtField = Object.keys(fieldErrors(setUp.error)).length > 0;
  return (
    <form onSubmit={form.onSubmit((values) => setUp.mutate(values))}>
      <Stack gap="md">
        {setUp.error && !shownAtField && <Alert color="red">{explain(setUp.error)}</Alert>}
        <TextInput
          label="Name of the firm"
          required
          withAsterisk={false}
          autoFocus
          {...form.getInputProps('firm.name')}
        />
        <Group grow align="start">
          <Select
            label="Country"
            searchable
            data={countries()}
            {...form.getInputProps('firm.country')}
            onChange={(code) => {
              if (!code) return;
              form.setFieldValue('firm.country', code);
              form.setFieldValue('firm.currency', currencyOf(code));
            }}
          />
          <Select
            label="Currency"
            searchable
            data={currencies()}
            allowDeselect={false}
            {...form.getInputProps('firm.currency')}
          />
        </Group>
        <Select
          label="Time zone"
          searchable
          data={timeZones()}
          allowDeselect={false}
          {...form.getInputProps('firm.time_zone')}
        />
        <Divider my="xs" />
        <TextInput
          label="Your name"
          autoComplete="name"
          required
          withAsterisk={false}
          {...form.getInputProps('owner.name')}
        />
        <TextInput
          label="Your e-mail"
          type="email"
          autoComplete="username"
          required
          withAsterisk={false}
          {...form.getInputProps('owner.email')}
        />
        <PasswordInput
          label="Password"
          description="At least 12 characters. A few words in a row are good."
          autoComplete="new-password"
          required
          withAsterisk={false}
          {...form.getInputProps('owner.password')}
        />
        <TextInput
          label="Set-up token"
          description="Whoever runs this installation gives it to you."
          required
          withAsterisk={false}
          {...form.getInputProps('token')}
        />
        <Group justify="flex-end">
          <Button type="submit" size="md" loading={setUp.isPending}>
            Set up the firm
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const guessCountry = () => new Intl.Locale(navigator.language).maximize().region ?? 'GB';
