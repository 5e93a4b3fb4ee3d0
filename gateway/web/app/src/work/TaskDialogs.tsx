import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useStaffOptions } from '@/session/staff';
import { DateField } from '@/ui/DateField';

type Owner = { id: string; name: string };

export function AssignDialog({
  opened,
  onClose,
  current,
  onAssign,
}: {
  opened: boolean;
  onClose: () => void;
  current: Owner | null;
  onAssign: (owner: Owner | null) => void;
}) {
  const staff = useStaffOptions();
  const choose = (id: string | null) => {
    const found = staff.find(({ value }) => value === id);
    onAssign(found ? { id: found.value, name: found.label } : null);
    onClose();
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Give to">
      <Select
        aria-label="Staff member"
        placeholder="Type a name"
        data={[{ value: '', label: 'Nobody' }, ...staff]}
        defaultValue={current?.id ?? ''}
        onChange={choose}
        searchable
        data-autofocus
      />
    </Modal>
  );
}

type MoveProps = {
  opened: boolean;
  onClose: () => void;
  date: string | null;
  what: string;
  onMove: (move: { due_on: string; reason: string }) => void;
};

export function MoveDateDialog({ opened, onClose, date, what, onMove }: MoveProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Move the date of “${what}”`}>
      <MoveForm date={date} onMove={onMove} onClose={onClose} />
    </Modal>
  );
}

function MoveForm({ date, onMove, onClose }: Pick<MoveProps, 'date' | 'onMove' | 'onClose'>) {
  const [due, setDue] = useState(date);
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!due) return;
    onMove({ due_on: due, reason: reason.trim() });
    onClose();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <DateField label="Due on" value={due} onChange={setDue} required />
        <TextInput
          label="Why"
          description="Kept with the date. Dates that follow from this one move along; this one stays where you put it."
          required
          withAsterisk={false}
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit">Move</Button>
        </Group>
      </Stack>
    </form>
  );
}
