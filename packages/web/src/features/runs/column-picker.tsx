import { ActionIcon, Box, Button, Checkbox, Group, Popover, ScrollArea, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconColumns3, IconSearch, IconX } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { useApi } from '../../app/api.ts';
import { FoldButton } from '../nested/fold-button.tsx';
import { ALL_CLOSED, type Branch, flatRows, openness, type TreeRow, toggled, treeRows } from '../nested/tree.ts';
import { ATTRIBUTES } from './columns.ts';

const HEADINGS = { a: 'Attributes', m: 'Metrics', p: 'Params', t: 'Tags' } as const;
type Kind = keyof typeof HEADINGS;
type Item = { heading: string } | { of: Kind; row: TreeRow<string> };
/** As many keys as the server names at once. */
const MOST_KEYS = 20_000;
/** With more keys than this the branches begin closed. */
const FEW_KEYS = 60;
/** As many columns as one click picks. */
const MOST_PICKED = 500;

const NONE: string[] = [];
const foldOf = (kind: Kind, folds: Partial<Record<Kind, string[]>>, count: number): string[] => folds[kind] ?? (count > FEW_KEYS ? ALL_CLOSED : NONE);
const indentOf = (row: TreeRow<string>): number => Math.min(row.depth, 6) * 16;

/** Picks columns out of thousands: the server searches, the list is virtual and nested by the names. */
export function ColumnPicker({
  experimentId,
  columns,
  onChange,
  onReset,
}: {
  experimentId: string;
  columns: string[];
  onChange: (columns: string[]) => void;
  onReset: () => void;
}) {
  const [opened, setOpened] = useState(false);
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={360} shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<IconColumns3 size={15} aria-hidden />} onClick={() => setOpened((o) => !o)}>
          Columns ({columns.length})
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={0}>{opened && <Picker experimentId={experimentId} columns={columns} onChange={onChange} onReset={onReset} />}</Popover.Dropdown>
    </Popover>
  );
}

function Picker({
  experimentId,
  columns,
  onChange,
  onReset,
}: {
  experimentId: string;
  columns: string[];
  onChange: (columns: string[]) => void;
  onReset: () => void;
}) {
  const [query, setQuery] = useState('');
  const [debounced] = useDebouncedValue(query.trim(), 150);
  const found = useApi(
    'listExperimentColumns',
    { params: { experimentId }, query: { q: debounced === '' ? undefined : debounced, limit: MOST_KEYS } },
    { keepPrevious: true },
  );
  const picked = useMemo(() => new Set(columns), [columns]);
  const keys = useMemo((): Record<Kind, readonly string[]> => {
    const wanted = debounced.toLowerCase();
    return {
      a: ATTRIBUTES.filter((key) => key.includes(wanted)),
      m: found.data?.metrics ?? [],
      p: found.data?.params ?? [],
      t: found.data?.tags ?? [],
    };
  }, [found.data, debounced]);
  const [folds, setFolds] = useState<Partial<Record<Kind, string[]>>>({});
  const items = useMemo(() => {
    const out: Item[] = [];
    for (const kind of ['a', 'm', 'p', 't'] as const) {
      const list = keys[kind];
      if (list.length === 0) continue;
      // A search shows whole names, so that nothing it finds is hidden in a closed branch.
      const rows = debounced === '' && kind !== 'a' ? treeRows(list, (key) => key, openness(foldOf(kind, folds, list.length))) : flatRows(list, (key) => key);
      out.push({ heading: `${HEADINGS[kind]} (${list.length})` }, ...rows.map((row) => ({ of: kind, row })));
    }
    return out;
  }, [keys, folds, debounced]);
  const box = useRef<HTMLDivElement>(null);
  const view = useVirtualizer({ count: items.length, getScrollElement: () => box.current, estimateSize: () => 28, overscan: 10 });
  const toggle = (id: string) => onChange(picked.has(id) ? columns.filter((c) => c !== id) : [...columns, id]);
  const toggleAll = (ids: string[], on: boolean) => {
    const some = new Set(ids);
    onChange(on ? [...new Set([...columns, ...ids.slice(0, MOST_PICKED)])] : columns.filter((c) => !some.has(c)));
  };
  const matching = debounced === '' ? [] : (['a', 'm', 'p', 't'] as const).flatMap((kind) => keys[kind].map((key) => `${kind}:${key}`));

  return (
    <>
      <Box p="xs" pb={6}>
        <TextInput
          data-autofocus
          placeholder="Search metrics, params and tags"
          aria-label="Search columns"
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
          leftSection={<IconSearch size={14} aria-hidden />}
          rightSection={
            query === '' ? null : (
              <ActionIcon size="xs" aria-label="Clear" onClick={() => setQuery('')}>
                <IconX size={12} aria-hidden />
              </ActionIcon>
            )
          }
        />
      </Box>
      <ScrollArea.Autosize mah={340} viewportRef={box} type="auto">
        <div style={{ height: view.getTotalSize(), position: 'relative' }}>
          {view.getVirtualItems().map((row) => {
            const item = items[row.index];
            if (item === undefined) return null;
            return (
              <div
                key={row.key}
                style={{ position: 'absolute', inset: '0 0 auto 0', transform: `translateY(${row.start}px)`, height: 28, padding: '4px 12px' }}
              >
                {'heading' in item ? (
                  <Text size="xs" c="dimmed" fw={600}>
                    {item.heading}
                  </Text>
                ) : item.row.kind === 'branch' ? (
                  <BranchRow
                    row={item.row}
                    ids={item.row.keys.map((key) => `${item.of}:${key}`)}
                    picked={picked}
                    onToggle={(path) => setFolds((before) => ({ ...before, [item.of]: toggled(foldOf(item.of, before, keys[item.of].length), path) }))}
                    onPick={toggleAll}
                  />
                ) : (
                  <Checkbox
                    aria-label={item.row.key}
                    label={
                      <span className="clip" title={item.row.key} style={{ display: 'block', maxWidth: 290 - indentOf(item.row) }}>
                        {item.row.label}
                      </span>
                    }
                    checked={picked.has(`${item.of}:${item.row.key}`)}
                    value={`${item.of}:${item.row.key}`}
                    onChange={(e) => toggle(e.currentTarget.value)}
                    ml={indentOf(item.row)}
                  />
                )}
              </div>
            );
          })}
        </div>
      </ScrollArea.Autosize>
      <Group p="xs" justify="space-between" style={{ borderTop: '1px solid var(--bn-border)' }}>
        <Group gap={4}>
          {debounced !== '' && matching.length > 0 && (
            <Button variant="subtle" onClick={() => onChange([...new Set([...columns, ...matching.slice(0, MOST_PICKED)])])}>
              Pick {Math.min(MOST_PICKED, matching.length)} found
            </Button>
          )}
          <Button variant="subtle" color="gray" onClick={onReset}>
            Reset
          </Button>
          <Button variant="subtle" color="gray" onClick={() => onChange(['a:started'])}>
            None
          </Button>
        </Group>
        {found.data?.truncated === true && (
          <Text size="xs" c="dimmed">
            More exist: search
          </Text>
        )}
      </Group>
    </>
  );
}

function BranchRow({
  row,
  ids,
  picked,
  onToggle,
  onPick,
}: {
  row: Branch;
  ids: string[];
  picked: Set<string>;
  onToggle: (path: string) => void;
  onPick: (ids: string[], on: boolean) => void;
}) {
  const count = ids.filter((id) => picked.has(id)).length;
  return (
    <Group gap={6} wrap="nowrap" ml={indentOf(row)} h={20}>
      <Checkbox
        aria-label={`All of ${row.path}`}
        checked={count === ids.length}
        indeterminate={count > 0 && count < ids.length}
        onChange={() => onPick(ids, count === 0)}
      />
      <FoldButton label={row.label} title={row.path} count={row.keys.length} open={row.open} onToggle={() => onToggle(row.path)} />
    </Group>
  );
}
