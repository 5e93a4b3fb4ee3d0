import { Alert, Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { body, quietly } from '@/api/http';
import { explain, isProblem } from '@/api/problem';
import { identity } from '@/api/services';

type Props = { email?: string; onSignedIn: () => void };
type Firm = { id: string; name: string };

/** E-mail and password. The answer to a wrong pair is the same whoever asks, so the form says no more either. */
export function SignInForm({ email: known = '', onSignedIn }: Props) {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: (firm_id?: string) =>
      body(
        identity.POST('/sessions', { body: { email: email.trim(), password, firm_id }, headers: quietly }),
      ),
    meta: { quiet: true },
    onSuccess: onSignedIn,
    onError: (error) => {
      if (firmsOf(error).length === 0) setPassword('');
    },
  });
  const firms = firmsOf(signIn.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(undefined);
  };

  if (firms.length > 0) return <ChooseFirm firms={firms} onChoose={signIn.mutate} />;
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {signIn.error && (
          <Alert color="red" variant="light" role="alert">
            {explain(signIn.error)}
          </Alert>
        )}
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus={!known}
          readOnly={Boolean(known)}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          data-autofocus={known ? true : undefined}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Button type="submit" size="md" loading={signIn.isPending} fullWidth>
          Sign in
        </Button>
        {/* Over a page, leaving would lose what was typed there. */}
        {!known && (
          <Anchor component={Link} to="/forgotten-password" size="sm" ta="center">
            Forgotten your password?
          </Anchor>
        )}
      </Stack>
    </form>
  );
}

/** A person known to two firms says which. */
function ChooseFirm({ firms, onChoose }: { firms: Firm[]; onChoose: (id: string) => void }) {
  return (
    <Stack gap="xs">
      <span>You work at more than one firm. Which one now?</span>
      {firms.map(({ id, name }) => (
        <Button key={id} variant="default" size="md" onClick={() => onChoose(id)}>
          {name}
        </Button>
      ))}
    </Stack>
  );
}

function firmsOf(error: unknown): Firm[] {
  return isProblem(error, 409) && error.code === 'choose_firm'
    ? ((error.body as { firms?: Firm[] }).firms ?? [])
    : [];
}
