import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { createStore, useStore } from '@mantine/store';
import { type FormEvent, useState } from 'react';

type Question = {
  title: string;
  /** What will happen, in a sentence or two. */
  text?: string;
  /** The word on the button: the act itself, never "OK". */
  act: string;
  danger?: boolean;
  /** Asks for a reason in writing; `optional` lets it be empty. */
  reason?: { label: string; optional?: boolean };
};

type Asked = Question & { answer: (reason: string | null) => void };

const store = createStore<{ asked: Asked | null }>({ asked: null });

/** Asks before something that is destructive, financial or needs a reason. Null: not done. Else the reason (or ""). */
export function ask(question: Question): Promise<string | null> {
  return new Promise((resolve) => {
    const answer = (reason: string | null) => {
      store.setState({ asked: null });
      resolve(reason);
    };
    store.setState({ asked: { ...question, answer } });
  });
}

export function AskDialog() {
  const { asked } = useStore(store);
  return (
    <Modal opened={asked !== null} onClose={() => asked?.answer(null)} title={asked?.title} zIndex={300}>
      {asked && <Form asked={asked} />}
    </Modal>
  );
}

function Form({ asked }: { asked: Asked }) {
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    asked.answer(reason.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {asked.text && <Text c="var(--ink-soft)">{asked.text}</Text>}
        {asked.reason && (
          <Textarea
            label={asked.reason.label}
            required={!asked.reason.optional}
            withAsterisk={false}
            minLength={3}
            maxLength={500}
            autosize
            minRows={2}
            data-autofocus
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => asked.answer(null)}>
            Not now
          </Button>
          <Button
            type="submit"
            color={asked.danger ? 'red' : undefined}
            data-autofocus={asked.reason ? undefined : true}
          >
            {asked.act}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
