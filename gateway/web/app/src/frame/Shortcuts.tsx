import { Kbd, Modal, Table } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { createStore, useStore } from '@mantine/store';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useMay } from '@/session/me';
import { places } from './nav';

const help = createStore({ opened: false });
export const keyboardHelp = {
  open: () => help.setState({ opened: true }),
  close: () => help.setState({ opened: false }),
};

/** Go anywhere with two keys ("g w"), and see which on "?". */
export function Shortcuts() {
  const { opened } = useStore(help);
  const may = useMay();
  const navigate = useNavigate();
  const going = useRef(0);

  useHotkeys([['shift+?', keyboardHelp.open]]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === 'g') {
        going.current = Date.now();
        return;
      }
      const place = places.find(
        ({ shortcut, permission }) => shortcut === `g ${event.key}` && may(permission),
      );
      if (place && Date.now() - going.current < 1000) navigate({ to: place.to });
      going.current = 0;
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [may, navigate]);

  return (
    <Modal opened={opened} onClose={keyboardHelp.close} title="Keyboard shortcuts">
      <Table>
        <Table.Tbody>
          <Row keys={['Ctrl', 'K']} does="Search and go anywhere" />
          {places
            .filter(({ permission }) => may(permission))
            .map(({ label, shortcut }) => (
              <Row key={label} keys={shortcut.split(' ')} does={label} />
            ))}
          <Row keys={['?']} does="This list" />
        </Table.Tbody>
      </Table>
    </Modal>
  );
}

function Row({ keys, does }: { keys: string[]; does: string }) {
  return (
    <Table.Tr>
      <Table.Td>{does}</Table.Td>
      <Table.Td ta="right">
        {keys.map((key) => (
          <Kbd key={key} ml={4}>
            {key}
          </Kbd>
        ))}
      </Table.Td>
    </Table.Tr>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName))
  );
}
