import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Navigate, useNavigate, useSearch } from '@tanstack/react-router';
import { Door } from './Door';
import { SignInForm } from './SignInForm';
import { setUpQuery } from './setUpState';

export function SignIn() {
  const { next } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const setUp = useQuery(setUpQuery());
  const enter = async () => {
    queries.clear();
    await navigate({ href: next ?? '/', replace: true });
  };
  // Nobody can sign in before the first firm exists.
  if (setUp.data?.needed) return <Navigate to="/setup" replace />;
  return (
    <Door title="Sign in">
      <SignInForm onSignedIn={enter} />
    </Door>
  );
}
