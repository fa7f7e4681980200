import './runs-table.css';
import type { RunRow } from '@binnacle/contract';
import { Checkbox, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { Link, useRouter } from '@tanstack/react-router';
import { columnResizingFeature, columnSizingFeature, createColumnHelper, rowSelectionFeature, tableFeatures, useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Time } from '../../ui/bits.tsx';
import { formatDuration, formatNumber } from '../../ui/format.ts';
import { FoldButton } from '../nested/fold-button.tsx';
import { cellValue, nextSort, orderKey, parseColumn } from './columns.ts';
import { GroupCell, groupName } from './group-cell.tsx';
import type { RunGroup } from './groups.ts';

const features = tableFeatures({ columnSizingFeature, columnResizingFeature, rowSelectionFeature });
const helper = createColumnHelper<typeof features, RunRow>();
const ROW = 34;
const NONE_OPEN: ReadonlySet<string> = new Set();
const PREFIX = { a: '', m: '', p: '', t: 'tag ' } as const;

const DOTS: Record<string, string> = {
  RUNNING: 'var(--bn-s1)',
  FINISHED: 'var(--bn-good)',
  FAILED: 'var(--bn-bad)',
  KILLED: 'var(--bn-warn)',
  SCHEDULED: 'var(--bn-muted)',
};

function Cell({ run, id }: { run: RunRow; id: string }) {
  const column = parseColumn(id);
  if (column === undefined) return null;
  const value = cellValue(run, column);
  if (value === null || value === undefined || value === '')
    return (
      <Text span c="dimmed" size="xs">
        –
      </Text>
    );
  if (id === 'a:started') return <Time at={value as number} ago />;
  if (id === 'a:duration') return <span>{formatDuration(value as number)}</span>;
  if (id === 'a:status') return <span>{String(value).toLowerCase()}</span>;
  if (column.kind === 'm') return <span title={String(value)}>{formatNumber(value)}</span>;
  return <span title={String(value)}>{value}</span>;
}

const RunCell = ({ row, column }: { row: { original: RunRow }; column: { id: string } }) => <Cell run={row.original} id={column.id} />;

function directionOf(id: string, sort: string | undefined): 'ascending' | 'descending' | 'none' {
  const key = orderKey(id);
  return key !== undefined && sort === `${key} DESC` ? 'descending' : key !== undefined && sort === `${key} ASC` ? 'ascending' : 'none';
}

function SortButton({ id, label, sort, onSort }: { id: string; label: string; sort: string | undefined; onSort: (sort: string | undefined) => void }) {
  const direction = directionOf(id, sort);
  const sortable = orderKey(id) !== undefined;
  return (
    <button
      type="button"
      className="rt-sort"
      onClick={() => onSort(nextSort(id, sort))}
      disabled={!sortable}
      title={`${label}${sortable ? ' (click to sort)' : ''}`}
    >
      <span>{label}</span>
      {direction === 'descending' && <IconArrowDown size={13} aria-hidden style={{ flex: 'none' }} />}
      {direction === 'ascending' && <IconArrowUp size={13} aria-hidden style={{ flex: 'none' }} />}
    </button>
  );
}

type Line = { run: RunRow; inside?: boolean } | { group: RunGroup; open: boolean };

/** As many as can be compared; they stand in the URL. */
const MOST_TICKED = 200;

export interface RunsTableProps {
  runs: RunRow[];
  columns: string[];
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
  selected: string[];
  onSelect: (ids: string[]) => void;
  onEnd: () => void;
  loadingMore: boolean;
  /** Absent: the runs stand alone. */
  groups?: { by: string[]; list: RunGroup[] } | undefined;
}

/** The runs of an experiment, alone or in groups: rows and columns are both virtual, the name stays in view, arrows move, Space ticks, Enter opens. */
export function RunsTable({ runs, columns, sort, onSort, selected, onSelect, onEnd, loadingMore, groups }: RunsTableProps) {
  const router = useRouter();
  const narrow = useMediaQuery('(max-width: 48em)');
  const nameWidth = narrow ? 180 : 270;
  const scroll = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState<ReadonlySet<string>>(NONE_OPEN);
  const grouped = groups !== undefined;

  const defs = useMemo(
    () =>
      columns.map((id) => {
        const column = parseColumn(id);
        return helper.display({
          id,
          size: column?.kind === 'm' ? (grouped ? 160 : 112) : id === 'a:duration' ? 96 : 130,
          minSize: 56,
          header: column === undefined ? id : `${PREFIX[column.kind]}${column.key}`,
          cell: RunCell,
        });
      }),
    [columns, grouped],
  );
  const rowSelection = useMemo(() => Object.fromEntries(selected.map((id) => [id, true as const])), [selected]);
  const table = useTable({
    features,
    data: runs,
    columns: defs,
    getRowId: (run) => run.id,
    columnResizeMode: 'onChange',
    state: { rowSelection },
    onRowSelectionChange: (updater) => onSelect(Object.keys(typeof updater === 'function' ? updater(rowSelection) : updater).slice(0, MOST_TICKED)),
  });
  const rows = table.getRowModel().rows;
  const byId = useMemo(() => new Map(rows.map((row) => [row.id, row])), [rows]);
  // The lines of the table: a run, or a group and then, when it is open, its runs.
  const lines = useMemo((): Line[] => {
    if (groups === undefined) return runs.map((run) => ({ run }));
    return groups.list.flatMap((group) => [
      { group, open: open.has(group.id) },
      ...(open.has(group.id) ? group.runs.map((run) => ({ run, inside: true })) : []),
    ]);
  }, [groups, runs, open]);
  const toggleGroup = (id: string) =>
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const tickGroup = (group: RunGroup) => {
    const ids = group.runs.map((run) => run.id);
    // Of a group larger than can be ticked, as many as were.
    const all = ids.every((id) => rowSelection[id] === true) || (selected.length >= MOST_TICKED && ids.some((id) => rowSelection[id] === true));
    const others = selected.filter((id) => !ids.includes(id));
    onSelect(all ? others : [...others, ...ids].slice(0, MOST_TICKED));
  };
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const sizes = headers.map((h) => h.column.getSize());
  const sizeKey = sizes.join();

  const rowView = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 12,
    getItemKey: (i) => {
      const line = lines[i];
      return line === undefined ? i : 'group' in line ? line.group.id : line.run.id;
    },
  });
  const columnView = useVirtualizer({
    horizontal: true,
    count: headers.length,
    getScrollElement: () => scroll.current,
    estimateSize: (i) => sizes[i] ?? 120,
    overscan: 4,
    paddingStart: nameWidth,
  });
  // A changed width must be measured again.
  useEffect(() => columnView.measure(), [sizeKey, columnView]);
  const width = columnView.getTotalSize();
  const shown = columnView.getVirtualItems();
  const padLeft = (shown[0]?.start ?? nameWidth) - nameWidth;

  const visible = rowView.getVirtualItems();
  const lastVisible = visible[visible.length - 1]?.index ?? 0;
  // The row that Tab reaches: the active one, or one in view when that was scrolled away.
  const stop = visible.some((item) => item.index === active) ? active : visible[Math.floor(visible.length / 2)]?.index;
  useEffect(() => {
    if (lines.length > 0 && lastVisible >= lines.length - 30) onEnd();
  }, [lastVisible, lines.length, onEnd]);

  // Runs that arrive above must not push away what is being read.
  const anchor = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    const box = scroll.current;
    const before = grouped ? undefined : anchor.current;
    if (box !== null && before !== undefined && box.scrollTop > ROW) {
      const at = runs.findIndex((run) => run.id === before);
      const top = Math.floor(box.scrollTop / ROW);
      if (at > top && at - top < 500) box.scrollTop += (at - top) * ROW;
    }
  }, [runs, grouped]);
  const remember = () => {
    const box = scroll.current;
    anchor.current = box === null ? undefined : runs[Math.floor(box.scrollTop / ROW)]?.id;
  };

  const focusRow = (index: number) => {
    const next = Math.max(0, Math.min(lines.length - 1, index));
    setActive(next);
    rowView.scrollToIndex(next);
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>, index: number) => {
    if (event.target !== event.currentTarget) return;
    const line = lines[index];
    const group = line !== undefined && 'group' in line ? line : undefined;
    const run = line !== undefined && 'run' in line ? line.run : undefined;
    const act = {
      ArrowDown: () => focusRow(index + 1),
      ArrowUp: () => focusRow(index - 1),
      Home: () => focusRow(0),
      End: () => focusRow(lines.length - 1),
      PageDown: () => focusRow(index + 15),
      PageUp: () => focusRow(index - 15),
      ' ': () => (group === undefined ? run !== undefined && table.getRow(run.id).toggleSelected() : tickGroup(group.group)),
      Enter: () =>
        group === undefined ? run !== undefined && void router.navigate({ to: '/runs/$runId', params: { runId: run.id } }) : toggleGroup(group.group.id),
      ArrowRight: () => group?.open === false && toggleGroup(group.group.id),
      ArrowLeft: () => group?.open === true && toggleGroup(group.group.id),
    }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return (
    <div
      ref={scroll}
      className="rt"
      style={{ height: `min(max(320px, calc(100dvh - 270px)), ${lines.length * ROW + 54}px)` }}
      role={grouped ? 'treegrid' : 'grid'}
      aria-label="Runs"
      aria-rowcount={lines.length + 1}
      aria-colcount={headers.length + 1}
      aria-multiselectable="true"
      aria-busy={loadingMore}
      onScroll={remember}
      tabIndex={lines.length === 0 ? 0 : -1}
    >
      <div className="rt-head" role="row" aria-rowindex={1} style={{ width }}>
        <div className="rt-cell rt-pin" role="columnheader" aria-colindex={1} aria-sort={directionOf('a:name', sort)} style={{ width: nameWidth }}>
          <Checkbox
            aria-label="Tick all loaded runs"
            checked={table.getIsAllRowsSelected() && rows.length > 0}
            indeterminate={table.getIsSomeRowsSelected()}
            onChange={(e) => table.toggleAllRowsSelected(e.currentTarget.checked)}
          />
          <SortButton id="a:name" label="Run" sort={sort} onSort={onSort} />
        </div>
        <div style={{ flex: 'none', width: padLeft }} role="presentation" />
        {shown.map((item) => {
          const header = headers[item.index];
          if (header === undefined) return null;
          return (
            <div
              key={header.id}
              className={`rt-cell ${header.id.startsWith('m:') || header.id === 'a:duration' ? 'right' : ''}`}
              role="columnheader"
              aria-colindex={item.index + 2}
              aria-sort={directionOf(header.id, sort)}
              style={{ width: item.size }}
            >
              <SortButton id={header.id} label={String(header.column.columnDef.header)} sort={sort} onSort={onSort} />
              <span className="rt-resize" aria-hidden onMouseDown={header.getResizeHandler()} onTouchStart={header.getResizeHandler()} />
            </div>
          );
        })}
      </div>
      <div role="rowgroup" style={{ height: rowView.getTotalSize(), width, position: 'relative' }}>
        {visible.map((item) => {
          const line = lines[item.index];
          if (line === undefined) return null;
          if ('group' in line) {
            const { group } = line;
            const ticked = group.runs.filter((run) => rowSelection[run.id] === true).length;
            const name = groupName(group, groups?.by ?? []);
            return (
              <div
                key={item.key}
                data-row={item.index}
                data-group
                className="rt-row rt-group"
                role="row"
                aria-rowindex={item.index + 2}
                aria-level={1}
                aria-expanded={line.open}
                tabIndex={item.index === stop ? 0 : -1}
                style={{ width, transform: `translateY(${item.start}px)` }}
                onKeyDown={(e) => onKeyDown(e, item.index)}
                onFocus={() => setActive(item.index)}
              >
                <div className="rt-cell rt-pin" role="gridcell" aria-colindex={1} style={{ width: nameWidth }}>
                  <Checkbox
                    tabIndex={-1}
                    aria-label={`Tick the runs of ${name}`}
                    checked={ticked === group.runs.length}
                    indeterminate={ticked > 0 && ticked < group.runs.length}
                    onChange={() => tickGroup(group)}
                  />
                  <FoldButton label={name} title={name} count={group.runs.length} open={line.open} onToggle={() => toggleGroup(group.id)} />
                </div>
                <div style={{ flex: 'none', width: padLeft }} role="presentation" />
                {shown.map((column) => {
                  const header = headers[column.index];
                  if (header === undefined) return null;
                  return (
                    <div
                      key={header.id}
                      className={`rt-cell ${header.id.startsWith('m:') || header.id === 'a:duration' ? 'right' : ''}`}
                      role="gridcell"
                      aria-colindex={column.index + 2}
                      style={{ width: column.size }}
                    >
                      <GroupCell group={group} id={header.id} />
                    </div>
                  );
                })}
              </div>
            );
          }
          const row = byId.get(line.run.id);
          if (row === undefined) return null;
          const cells = row.getAllCells();
          return (
            <div
              key={row.id}
              data-row={item.index}
              className="rt-row"
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={row.getIsSelected()}
              {...(line.inside === true ? { 'aria-level': 2 } : {})}
              tabIndex={item.index === stop ? 0 : -1}
              style={{ width, transform: `translateY(${item.start}px)` }}
              onKeyDown={(e) => onKeyDown(e, item.index)}
              onFocus={() => setActive(item.index)}
            >
              <div
                className="rt-cell rt-pin"
                role="gridcell"
                aria-colindex={1}
                style={{ width: nameWidth, paddingLeft: line.inside === true ? 28 : undefined }}
              >
                <Checkbox tabIndex={-1} aria-label={`Tick ${row.original.name}`} checked={row.getIsSelected()} onChange={row.getToggleSelectedHandler()} />
                <span
                  className="bn-dot"
                  style={{ background: DOTS[row.original.status] }}
                  title={row.original.status.toLowerCase()}
                  role="img"
                  aria-label={row.original.status.toLowerCase()}
                />
                <Link to="/runs/$runId" params={{ runId: row.id }} className="bn-link" tabIndex={-1} title={row.original.name}>
                  {row.original.name || row.id}
                </Link>
              </div>
              <div style={{ flex: 'none', width: padLeft }} role="presentation" />
              {shown.map((column) => {
                const cell = cells[column.index];
                if (cell === undefined) return null;
                return (
                  <div
                    key={cell.id}
                    className={`rt-cell ${cell.column.id.startsWith('m:') || cell.column.id === 'a:duration' ? 'right' : ''}`}
                    role="gridcell"
                    aria-colindex={column.index + 2}
                    style={{ width: column.size }}
                  >
                    <table.FlexRender cell={cell} />
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}
