import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Door } from './Door';
import { SignInForm } from './SignInForm';

export function SignIn() {
  const { next } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const enter = async () => {
    queries.clear();
    await navigate({ href: next ?? '/', replace: true });
  };
  return (
    <Door title="Sign in">
      <SignInForm onSignedIn={enter} />
    </Door>
  );
}
