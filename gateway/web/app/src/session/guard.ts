import { redirect } from '@tanstack/react-router';
import { isProblem } from '@/api/problem';
import { queries } from '@/api/queries';
import { meQuery } from './me';

/** Before any page inside: nobody signed in is led to the door, and back to where they wanted to go afterwards. */
export async function signedInOnly({ location }: { location: { href: string } }): Promise<void> {
  try {
    await queries.ensureQueryData(meQuery());
  } catch (error) {
    if (!isProblem(error, 401)) return; // the frame says what is wrong
    throw redirect({
      to: '/sign-in',
      search: location.href === '/' ? {} : { next: location.href },
      replace: true,
    });
  }
}
