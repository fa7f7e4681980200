import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import type { TensorSpec } from '@binnacle/contract';

/** The only input of a model that takes strings, one a row. */
export const textInput = (inputs: readonly TensorSpec[]): TensorSpec | undefined =>
  inputs.length === 1 && inputs[0]?.datatype === 'BYTES' && inputs[0].shape.length <= 2 && inputs[0].shape.slice(1).every((size) => size === 1 || size === -1)
    ? inputs[0]
    : undefined;

export function TryText({ input, pending, onSend }: { input: TensorSpec; pending: boolean; onSend: (body: string) => void }) {
  const [text, setText] = useState('');
  const lines = text.split('\n').filter((line) => line !== '');
  const shape = input.shape.length === 1 ? [lines.length] : [lines.length, 1];
  return (
    <Stack gap="sm">
      <Textarea
        label={`Text for ${input.name}`}
        description="One instance a line."
        autosize
        minRows={4}
        maxRows={16}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
      />
      <Group>
        <Button
          leftSection={<IconPlayerPlay size={15} aria-hidden />}
          loading={pending}
          disabled={lines.length === 0}
          onClick={() => onSend(JSON.stringify({ inputs: [{ name: input.name, datatype: 'BYTES', shape, data: lines }] }))}
        >
          Send
        </Button>
        <Text size="xs" c="dimmed">
          {lines.length} {lines.length === 1 ? 'line' : 'lines'}
        </Text>
      </Group>
    </Stack>
  );
}
