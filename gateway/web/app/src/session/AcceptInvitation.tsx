import { Alert, Anchor, Button, PasswordInput, Skeleton, Stack } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { body, quietly } from '@/api/http';
import { explain, fieldErrors } from '@/api/problem';
import { identity } from '@/api/services';
import { Door } from './Door';
import { useMailedToken } from './token';

/** A new member of staff sets a password (or gives the one they have) and is in. */
export function AcceptInvitation() {
  const token = useMailedToken();
  const [password, setPassword] = useState('');
  const navigate = useNavigate();
  const queries = useQueryClient();
  const invitation = useQuery({
    queryKey: ['invitation'],
    queryFn: () => body(identity.POST('/invitations/look-up', { body: { token }, headers: quietly })),
    enabled: token !== '',
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const accept = useMutation({
    mutationFn: async () => {
      const { email, firm } = await body(
        identity.POST('/invitations/accept', { body: { token, password }, headers: quietly }),
      );
      return body(
        identity.POST('/sessions', { body: { email, password, firm_id: firm.id }, headers: quietly }),
      );
    },
    meta: { quiet: true },
    onSuccess: async () => {
      queries.clear();
      await navigate({ to: '/' });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    accept.mutate();
  };
  const atField = fieldErrors(accept.error).password;

  if (!token || invitation.error) {
    return (
      <Door
        title="Invitation"
        intro={
          invitation.error ? explain(invitation.error) : 'This address works only from the link in the mail.'
        }
      >
        <Anchor component={Link} to="/sign-in">
          Go to sign in
        </Anchor>
      </Door>
    );
  }
  if (!invitation.data) {
    return (
      <Door title="Invitation">
        <Skeleton height={120} />
      </Door>
    );
  }
  const { firm, name, has_password } = invitation.data;
  return (
    <Door
      title={`Welcome to ${firm.name}`}
      intro={`${name}, ${has_password ? 'give the password you already have here.' : 'set a password and you are in.'}`}
    >
      <form onSubmit={submit}>
        <Stack gap="md">
          {accept.error && !atField && <Alert color="red">{explain(accept.error)}</Alert>}
          <PasswordInput
            label={has_password ? 'Password' : 'New password'}
            description={has_password ? undefined : 'At least 12 characters. A few words in a row are good.'}
            autoComplete={has_password ? 'current-password' : 'new-password'}
            required
            withAsterisk={false}
            autoFocus
            error={atField}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" size="md" loading={accept.isPending}>
            {has_password ? 'Join' : 'Set the password and join'}
          </Button>
        </Stack>
      </form>
    </Door>
  );
}
