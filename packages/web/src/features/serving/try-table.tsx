import { ActionIcon, Button, Group, Stack, Table, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { IconPlayerPlay, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { invocationOf, type TableForm } from './table-form.ts';

/** Rows to type into, under the columns of the signature. */
export function TryTable({ form, pending, onSend }: { form: TableForm; pending: boolean; onSend: (body: string) => void }) {
  const [rows, setRows] = useState(() => form.rows.slice(0, 5));
  const made = invocationOf({ columns: form.columns, rows });
  const set = (row: number, column: number, value: string) => setRows(rows.map((r, i) => (i === row ? r.map((cell, k) => (k === column ? value : cell)) : r)));
  return (
    <Stack gap="sm">
      <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="Rows to send">
        <Table verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              {form.columns.map(({ name, type }) => (
                <Table.Th key={name} className="nowrap">
                  {name}{' '}
                  <Text span size="xs" c="dimmed">
                    {type}
                  </Text>
                </Table.Th>
              ))}
              <Table.Th>
                <VisuallyHidden>Remove</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, i) => (
              // Rows have no identity but their place.
              <Table.Tr key={i}>
                {form.columns.map(({ name }, k) => (
                  <Table.Td key={name}>
                    <TextInput
                      size="xs"
                      miw={84}
                      aria-label={`${name}, row ${i + 1}`}
                      value={row[k] ?? ''}
                      onChange={(e) => set(i, k, e.currentTarget.value)}
                      error={'problem' in made && made.row === i && made.column === name ? `takes ${made.problem}` : undefined}
                    />
                  </Table.Td>
                ))}
                <Table.Td>
                  <ActionIcon aria-label={`Remove row ${i + 1}`} disabled={rows.length === 1} onClick={() => setRows(rows.filter((_, at) => at !== i))}>
                    <IconTrash size={15} aria-hidden />
                  </ActionIcon>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Group>
        <Button
          leftSection={<IconPlayerPlay size={15} aria-hidden />}
          loading={pending}
          disabled={!('body' in made)}
          onClick={() => 'body' in made && onSend(made.body)}
        >
          Send
        </Button>
        <Button
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          disabled={rows.length >= 50}
          onClick={() => setRows([...rows, [...(rows.at(-1) ?? [])]])}
        >
          Add a row
        </Button>
        <Text size="xs" c="dimmed">
          An empty cell is a missing value.
        </Text>
      </Group>
    </Stack>
  );
}
