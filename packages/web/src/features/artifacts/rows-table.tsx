import './artifacts.css';
import { Button, Group, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatInt } from '../../ui/format.ts';

export interface RowsTableProps {
  label: string;
  columns: { name: string; type?: string | undefined }[];
  rows: ReactNode[][];
  /** Rows before the first of these. */
  offset: number;
  more: boolean;
  total: number | null;
  pageSize: number;
  onOffset: (offset: number) => void;
  busy?: boolean;
}
const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL|REAL)/;

/** A page of a table. null is shown as what it is; text keeps its line ends. */
export function RowsTable({ label, columns, rows, offset, more, total, pageSize, onOffset, busy = false }: RowsTableProps) {
  return (
    <>
      <div className="bn-rows" tabIndex={0} role="group" aria-label={label}>
        <Table stickyHeader withColumnBorders aria-busy={busy}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th className="num" w="1%">
                #
              </Table.Th>
              {columns.map(({ name, type }, c) => (
                <Table.Th key={c} className={NUMERIC.test(type ?? '') ? 'num' : undefined}>
                  {name}
                  {type !== undefined && <span className="kind">{type.toLowerCase()}</span>}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, r) => (
              <Table.Tr key={offset + r}>
                <Table.Td className="num" c="dimmed">
                  {formatInt(offset + r + 1)}
                </Table.Td>
                {columns.map(({ type }, c) => {
                  const value = row[c];
                  if (value === null || value === undefined)
                    return (
                      <Table.Td key={c} className="none">
                        {value === null ? 'null' : ''}
                      </Table.Td>
                    );
                  return (
                    <Table.Td key={c} className={NUMERIC.test(type ?? '') ? 'num' : undefined}>
                      <div className="cell">{value}</div>
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Group gap="sm" mt="xs">
        <Text size="xs" c="dimmed" aria-live="polite">
          {rows.length === 0
            ? 'No rows'
            : `Rows ${formatInt(offset + 1)} to ${formatInt(offset + rows.length)}${total === null ? '' : ` of ${formatInt(total)}`}`}
        </Text>
        {(offset > 0 || more) && (
          <>
            <Button variant="default" disabled={offset === 0} onClick={() => onOffset(Math.max(0, offset - pageSize))}>
              Previous rows
            </Button>
            <Button variant="default" disabled={!more} loading={busy} onClick={() => onOffset(offset + pageSize)}>
              Next rows
            </Button>
          </>
        )}
      </Group>
    </>
  );
}
