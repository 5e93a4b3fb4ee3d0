import { ActionIcon, Button, Checkbox, Group, Select, Stack, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { components } from '@/api/generated/workflow';
import css from './Editor.module.css';

export type ItemDraft = components['schemas']['RequestItemDraft'];
type Kind = ItemDraft['kind'];
export type ItemFields = {
  id: string;
  kind: Kind;
  label: string;
  help: string;
  required: boolean;
  choices: string[];
};

const kinds: { value: Kind; label: string }[] = [
  { value: 'file', label: 'Files' },
  { value: 'text', label: 'Text' },
  { value: 'choice', label: 'One of several' },
  { value: 'yes_no', label: 'Yes or no' },
  { value: 'number', label: 'Number' },
  { value: 'date', label: 'Date' },
  { value: 'approval', label: 'Approval' },
];

export const newItem = (): ItemFields => ({
  id: crypto.randomUUID(),
  kind: 'file',
  label: '',
  help: '',
  required: true,
  choices: [],
});

export const fromItem = (item: ItemDraft): ItemFields => ({
  ...newItem(),
  ...item,
  help: item.help ?? '',
  choices: item.choices ?? [],
});

export const toItem = ({ id: _id, choices, ...item }: ItemFields): ItemDraft => ({
  ...item,
  choices: item.kind === 'choice' ? choices : [],
});

// biome-ignore lint/suspicious/noExplicitAny: the editor serves any form that holds such a list
type AnyForm = UseFormReturnType<any>;

/** What exactly is asked of a client, line by line. */
export function ItemsEditor({ form, path }: { form: AnyForm; path: string }) {
  const items = path.split('.').reduce((value, key) => value[key], form.values) as ItemFields[];
  return (
    <fieldset className={css.fieldset}>
      <legend>What is asked</legend>
      <Stack gap="xs">
        {items.map((item, index) => (
          <div key={item.id} className={css.itemLine}>
            <Group gap="xs" wrap="nowrap" align="start">
              <Select
                aria-label="Kind of answer"
                w={150}
                allowDeselect={false}
                data={kinds}
                {...form.getInputProps(`${path}.${index}.kind`)}
              />
              <TextInput
                aria-label="What is asked for"
                placeholder="Bank statements July to September"
                flex={1}
                required
                maxLength={300}
                {...form.getInputProps(`${path}.${index}.label`)}
              />
              <ActionIcon
                size={36}
                aria-label={`Remove ${item.label || 'this line'}`}
                disabled={items.length === 1}
                onClick={() => form.removeListItem(path, index)}
              >
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
            {item.kind === 'choice' && (
              <TagsInput
                aria-label="Choices"
                placeholder="Type a choice, then Enter"
                mt={6}
                {...form.getInputProps(`${path}.${index}.choices`)}
              />
            )}
            <Checkbox
              size="xs"
              mt={6}
              label="Required"
              {...form.getInputProps(`${path}.${index}.required`, { type: 'checkbox' })}
            />
          </div>
        ))}
      </Stack>
      <Button
        size="xs"
        variant="subtle"
        mt="xs"
        leftSection={<IconPlus size={14} />}
        onClick={() => form.insertListItem(path, newItem())}
      >
        Another line
      </Button>
    </fieldset>
  );
}
