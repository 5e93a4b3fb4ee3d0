import { Alert, Anchor, Button, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { body, quietly } from '@/api/http';
import { explain } from '@/api/problem';
import { identity } from '@/api/services';
import { Door } from './Door';

export function ForgottenPassword() {
  const [email, setEmail] = useState('');
  const ask = useMutation({
    mutationFn: () =>
      body(identity.POST('/password-resets', { body: { email: email.trim() }, headers: quietly })),
    meta: { quiet: true },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <Door
      title="A new password"
      intro="We mail you a link with which you set a new one. It works for an hour."
    >
      {ask.isSuccess ? (
        <Alert variant="light">
          If {email} belongs to somebody here, a mail is on its way. Look into your inbox.
        </Alert>
      ) : (
        <form onSubmit={submit}>
          <Stack gap="md">
            {ask.error && <Alert color="red">{explain(ask.error)}</Alert>}
            <TextInput
              label="E-mail"
              type="email"
              autoComplete="username"
              required
              withAsterisk={false}
              autoFocus
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
            />
            <Button type="submit" size="md" loading={ask.isPending}>
              Mail me a link
            </Button>
          </Stack>
        </form>
      )}
      <Anchor component={Link} to="/sign-in" size="sm" mt="md" display="block" ta="center">
        Back to sign in
      </Anchor>
    </Door>
  );
}
