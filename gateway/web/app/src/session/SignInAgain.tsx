import { Modal, Text } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { isExpired, onSessionChange, sessionRestored } from '@/api/session';
import { useMe } from './me';
import { SignInForm } from './SignInForm';

/** Over the page, when the session could not be renewed: what was asked for waits, and what was typed stays. */
export function SignInAgain() {
  const expired = useSyncExternalStore(onSessionChange, isExpired);
  const { data: me } = useMe();
  return (
    <Modal
      opened={expired}
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Sign in again"
    >
      <Text size="sm" c="dimmed" mb="md">
        Your session has ended. Sign in and go on where you were; nothing you typed is lost.
      </Text>
      <SignInForm email={me?.email} onSignedIn={sessionRestored} />
    </Modal>
  );
}
