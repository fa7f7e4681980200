import { ActionIcon, Box, Button, Checkbox, Group, Popover, ScrollArea, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconColumns3, IconSearch, IconX } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { useApi } from '../../app/api.ts';
import { ATTRIBUTES } from './columns.ts';

const HEADINGS = { a: 'Attributes', m: 'Metrics', p: 'Params', t: 'Tags' } as const;
type Item = { heading: string } | { id: string; label: string };

/** Picks columns out of thousands: the server searches, the list is virtual. */
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
    { params: { experimentId }, query: { q: debounced === '' ? undefined : debounced, limit: 2000 } },
    { keepPrevious: true },
  );
  const picked = useMemo(() => new Set(columns), [columns]);
  const items = useMemo(() => {
    const out: Item[] = [];
    const wanted = debounced.toLowerCase();
    const add = (kind: keyof typeof HEADINGS, keys: readonly string[]) => {
      if (keys.length === 0) return;
      out.push({ heading: `${HEADINGS[kind]} (${keys.length})` }, ...keys.map((key) => ({ id: `${kind}:${key}`, label: key })));
    };
    add(
      'a',
      ATTRIBUTES.filter((key) => key.includes(wanted)),
    );
    add('m', found.data?.metrics ?? []);
    add('p', found.data?.params ?? []);
    add('t', found.data?.tags ?? []);
    return out;
  }, [found.data, debounced]);
  const box = useRef<HTMLDivElement>(null);
  const view = useVirtualizer({ count: items.length, getScrollElement: () => box.current, estimateSize: () => 28, overscan: 10 });
  const toggle = (id: string) => onChange(picked.has(id) ? columns.filter((c) => c !== id) : [...columns, id]);
  const matching = items.flatMap((item) => ('id' in item ? [item.id] : []));

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
                ) : (
                  <Checkbox
                    label={
                      <span className="clip" title={item.label} style={{ display: 'block', maxWidth: 290 }}>
                        {item.label}
                      </span>
                    }
                    checked={picked.has(item.id)}
                    onChange={() => toggle(item.id)}
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
            <Button variant="subtle" onClick={() => onChange([...new Set([...columns, ...matching.slice(0, 500)])])}>
              Pick {Math.min(500, matching.length)} found
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
