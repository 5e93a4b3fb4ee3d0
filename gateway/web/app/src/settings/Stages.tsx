import { ActionIcon, Button, Group, Select, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { type MutationFunction, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, body } from '@/api/http';
import { refresh } from '@/api/refresh';
import { workflow } from '@/api/services';
import { useMay } from '@/session/me';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Loaded, Rows } from '@/ui/states';
import { type Stage, stagesQuery } from '@/work/api';

const kinds: { value: Stage['kind']; label: string }[] = [
  { value: 'planned', label: 'Planned' },
  { value: 'active', label: 'Under way' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'done', label: 'Finished' },
];

function useStageAct<Given>(act: MutationFunction<unknown, Given>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => refresh(queries, 'stages', 'jobs'),
  });
}

const seen = (stage: Stage) => ({
  path: { stage_id: stage.id },
  header: { 'If-Match': `"${stage.version}"` },
});

/** The columns of the board. */
export function Stages() {
  const query = useQuery(stagesQuery());
  const may = useMay()('workflow:stages:write');
  return (
    <Section title="Columns of the board">
      <Loaded query={query} what="Stages" skeleton={<Rows count={4} />}>
        {(stages) => (
          <>
            <ul className={list.list}>
              {stages.map((stage, index) => (
                <StageRow
                  key={stage.id}
                  stage={stage}
                  first={index === 0}
                  last={index === stages.length - 1}
                  may={may}
                />
              ))}
            </ul>
            {may && <AddStage />}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function StageRow({
  stage,
  first,
  last,
  may,
}: {
  stage: Stage;
  first: boolean;
  last: boolean;
  may: boolean;
}) {
  const change = useStageAct((part: { name?: string; kind?: Stage['kind']; position?: number }) =>
    body(workflow.PATCH('/stages/{stage_id}', { params: seen(stage), body: part })),
  );
  const remove = useStageAct(() => answerOf(workflow.DELETE('/stages/{stage_id}', { params: seen(stage) })));
  const rename = (name: string) => {
    if (name.trim() && name.trim() !== stage.name) change.mutate({ name: name.trim() });
  };
  return (
    <li className={list.item}>
      <TextInput
        aria-label={`Name of ${stage.name}`}
        className={list.main}
        variant="unstyled"
        readOnly={!may}
        maxLength={60}
        defaultValue={stage.name}
        onBlur={(event) => rename(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
      <Select
        aria-label={`Kind of ${stage.name}`}
        w={140}
        size="xs"
        allowDeselect={false}
        disabled={!may}
        data={kinds}
        value={stage.kind}
        onChange={(kind) => change.mutate({ kind: kind as Stage['kind'] })}
      />
      {may && (
        <Group gap={2}>
          <ActionIcon
            size={28}
            aria-label={`Move ${stage.name} up`}
            disabled={first}
            onClick={() => change.mutate({ position: stage.position - 1 })}
          >
            <IconChevronUp size={16} />
          </ActionIcon>
          <ActionIcon
            size={28}
            aria-label={`Move ${stage.name} down`}
            disabled={last}
            onClick={() => change.mutate({ position: stage.position + 1 })}
          >
            <IconChevronDown size={16} />
          </ActionIcon>
          <ActionIcon size={28} aria-label={`Remove ${stage.name}`} onClick={() => remove.mutate(undefined)}>
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      )}
    </li>
  );
}

function AddStage() {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Stage['kind']>('active');
  const add = useStageAct((given: { name: string; kind: Stage['kind'] }) =>
    body(workflow.POST('/stages', { body: given })),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) add.mutate({ name: name.trim(), kind }, { onSuccess: () => setName('') });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" mt="sm">
        <TextInput
          aria-label="Name of a new stage"
          placeholder="A new stage"
          flex={1}
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          aria-label="Its kind"
          w={140}
          allowDeselect={false}
          data={kinds}
          value={kind}
          onChange={(chosen) => setKind(chosen as Stage['kind'])}
        />
        <Button type="submit" variant="default" leftSection={<IconPlus size={14} />} loading={add.isPending}>
          Add
        </Button>
      </Group>
    </form>
  );
}
