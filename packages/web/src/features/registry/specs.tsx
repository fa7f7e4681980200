import type { Signature, TensorSpec } from '@binnacle/contract';
import { Table, Text } from '@mantine/core';

/** Inputs and outputs by name, type and shape. */
export function SpecTable({ title, specs }: { title: string; specs: (Signature['inputs'][number] | TensorSpec)[] }) {
  return (
    // The columns of one table stand under those of the other.
    <Table layout="fixed" miw={300}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="46%">{title}</Table.Th>
          <Table.Th w="24%">Type</Table.Th>
          <Table.Th>Shape</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {specs.map((s) => (
          <Table.Tr key={s.name}>
            <Table.Td className="break">
              <code>{s.name || '(unnamed)'}</code>
              {'required' in s && s.required === false && (
                <Text span size="xs" c="dimmed">
                  {' '}
                  optional
                </Text>
              )}
            </Table.Td>
            <Table.Td>{'datatype' in s ? s.datatype : s.type}</Table.Td>
            <Table.Td>{s.shape === undefined ? 'column' : `[${s.shape.map((d) => (d === -1 ? 'any' : d)).join(', ')}]`}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
