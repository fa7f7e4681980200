import { Group, Select, Switch, Table, Text } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { type AxisValue, axisOf } from '../../charts/axis.ts';
import { Scatter } from '../../charts/scatter.tsx';
import { formatDuration, formatNumber, formatTime } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';

export interface PlotState {
  x?: string | undefined;
  y?: string | undefined;
  color?: string | undefined;
  logx?: true | undefined;
  logy?: true | undefined;
}
export interface PlotChoices {
  groups: { group: string; items: { value: string; label: string }[] }[];
  onSearch?: (query: string) => void;
}
const MOST_ROWS = 500;

const formatOf = (id: string) => (value: number) =>
  id === 'a:started' ? formatTime(value, false) : id === 'a:duration' ? formatDuration(value) : formatNumber(value, 4);
const labelOf = (id: string) => id.slice(2);
const textOf = (id: string, value: AxisValue): string =>
  value === null || value === undefined ? '–' : typeof value === 'number' ? formatOf(id)(value) : value;

/** A param or metric against another, coloured by a third, and the same as a table. Columns are ids: m:key, p:key, t:key, a:key. */
export function ScatterPanel({
  runs,
  valuesOf,
  choices,
  state,
  set,
  selected,
  onSelect,
  note,
}: {
  runs: readonly { id: string; name: string }[];
  valuesOf: (column: string) => AxisValue[];
  choices: PlotChoices;
  state: PlotState;
  set: (change: PlotState) => void;
  selected: readonly string[];
  /** Runs that were picked, to be ticked besides those that are; one that is ticked is unticked. */
  onSelect: (ids: string[]) => void;
  note?: ReactNode;
}) {
  const router = useRouter();
  const [asTable, setAsTable] = useState(false);
  const { x, y, color, logx, logy } = state;
  const axes = useMemo(() => {
    if (x === undefined || y === undefined) return undefined;
    const axis = (id: string, log: boolean) => axisOf(id, labelOf(id), valuesOf(id), formatOf(id), log);
    return { x: axis(x, logx === true), y: axis(y, logy === true), color: color === undefined ? undefined : axis(color, false) };
  }, [x, y, color, logx, logy, valuesOf]);
  const ticked = useMemo(() => {
    const ids = new Set(selected);
    return new Set(runs.flatMap((run, i) => (ids.has(run.id) ? [i] : [])));
  }, [runs, selected]);
  const names = useMemo(() => runs.map((run) => run.name || run.id), [runs]);
  const columns = useMemo(() => [x, y, color].filter((id) => id !== undefined), [x, y, color]);
  const values = useMemo(() => new Map(columns.map((id) => [id, valuesOf(id)])), [columns, valuesOf]);
  const describe = (index: number) => columns.map((id) => `${labelOf(id)} ${textOf(id, values.get(id)?.[index])}`).join('\n');
  const pick = (indices: number[]) => {
    const ids = indices.map((i) => (runs[i] as { id: string }).id);
    const [only] = ids;
    if (ids.length === 1 && only !== undefined && selected.includes(only)) onSelect(selected.filter((id) => id !== only));
    else onSelect([...new Set([...selected, ...ids])]);
  };

  return (
    <Panel
      title="Scatter plot"
      actions={
        <>
          <ColumnSelect label="X" value={x} choices={choices} onChange={(id) => set({ x: id })} />
          <ColumnSelect label="Y" value={y} choices={choices} onChange={(id) => set({ y: id })} />
          <ColumnSelect label="Colour" value={color} choices={choices} onChange={(id) => set({ color: id })} clearable />
          <Switch label="Log x" checked={logx === true} onChange={(e) => set({ logx: e.currentTarget.checked ? true : undefined })} />
          <Switch label="Log y" checked={logy === true} onChange={(e) => set({ logy: e.currentTarget.checked ? true : undefined })} />
          <Switch label="As a table" checked={asTable} onChange={(e) => setAsTable(e.currentTarget.checked)} />
        </>
      }
    >
      {axes === undefined ? (
        <Text c="dimmed" size="sm">
          Choose a column for each axis.
        </Text>
      ) : asTable ? (
        <PlotTable runs={runs} columns={columns} values={values} />
      ) : (
        <Scatter
          {...axes}
          names={names}
          describe={describe}
          ticked={ticked}
          onPick={pick}
          onOpen={(i) => void router.navigate({ to: '/runs/$runId', params: { runId: (runs[i] as { id: string }).id } })}
        />
      )}
      <Group gap="md" mt={4}>
        <Text size="xs" c="dimmed">
          Click a point to open its run; draw a box to tick what is in it.
        </Text>
        {note}
      </Group>
    </Panel>
  );
}

function ColumnSelect({
  label,
  value,
  choices,
  onChange,
  clearable = false,
}: {
  label: string;
  value: string | undefined;
  choices: PlotChoices;
  onChange: (id: string | undefined) => void;
  clearable?: boolean;
}) {
  // What is picked stays a choice, whatever is searched for.
  const there = value === undefined || choices.groups.some(({ items }) => items.some((item) => item.value === value));
  const data = there || value === undefined ? choices.groups : [{ group: 'Picked', items: [{ value, label: labelOf(value) }] }, ...choices.groups];
  return (
    <Select
      aria-label={label}
      placeholder="none"
      leftSection={
        <Text size="xs" c="dimmed">
          {label}
        </Text>
      }
      leftSectionWidth={label.length > 1 ? 52 : 26}
      data={data}
      value={value ?? null}
      onChange={(id) => onChange(id ?? undefined)}
      {...(choices.onSearch === undefined ? {} : { onSearchChange: choices.onSearch })}
      searchable
      clearable={clearable}
      allowDeselect={clearable}
      limit={200}
      w={label.length > 1 ? 200 : 180}
    />
  );
}

/** The plot's values to read: the first rows, with links. */
function PlotTable({ runs, columns, values }: { runs: readonly { id: string; name: string }[]; columns: string[]; values: Map<string, AxisValue[]> }) {
  return (
    <div style={{ maxHeight: 360, overflow: 'auto' }} tabIndex={0} role="group" aria-label="Values of the plot">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Run</Table.Th>
            {columns.map((id) => (
              <Table.Th key={id}>{labelOf(id)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.slice(0, MOST_ROWS).map((run, i) => (
            <Table.Tr key={run.id}>
              <Table.Td>
                <a href={`/ui/runs/${run.id}`} className="bn-link">
                  {run.name || run.id}
                </a>
              </Table.Td>
              {columns.map((id) => (
                <Table.Td key={id}>{textOf(id, values.get(id)?.[i])}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {runs.length > MOST_ROWS && (
        <Text size="xs" c="dimmed" p="xs">
          The first {MOST_ROWS} of {runs.length}; the runs table has all of them.
        </Text>
      )}
    </div>
  );
}
