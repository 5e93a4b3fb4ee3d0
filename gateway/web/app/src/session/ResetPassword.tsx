import { Alert, Anchor, Button, PasswordInput, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { body, quietly } from '@/api/http';
import { explain, fieldErrors } from '@/api/problem';
import { identity } from '@/api/services';
import { said } from '@/ui/toasts';
import { Door } from './Door';
import { useMailedToken } from './token';

export function ResetPassword() {
  const token = useMailedToken();
  const [password, setPassword] = useState('');
  const navigate = useNavigate();
  const reset = useMutation({
    mutationFn: () =>
      body(identity.POST('/password-resets/complete', { body: { token, password }, headers: quietly })),
    meta: { quiet: true },
    onSuccess: () => {
      said('Your new password counts from now on. Sign in with it.');
      return navigate({ to: '/sign-in' });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    reset.mutate();
  };
  const atField = fieldErrors(reset.error).password;
  if (!token) {
    return (
      <Door title="A new password" intro="This address works only from the link in the mail.">
        <Anchor component={Link} to="/forgotten-password">
          Mail me a new link
        </Anchor>
      </Door>
    );
  }
  return (
    <Door title="A new password">
      <form onSubmit={submit}>
        <Stack gap="md">
          {reset.error && !atField && <Alert color="red">{explain(reset.error)}</Alert>}
          <PasswordInput
            label="New password"
            description="At least 12 characters. A few words in a row are good."
            autoComplete="new-password"
            minLength={12}
            required
            withAsterisk={false}
            autoFocus
            error={atField}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" size="md" loading={reset.isPending}>
            Set the password
          </Button>
        </Stack>
      </form>
    </Door>
  );
}
