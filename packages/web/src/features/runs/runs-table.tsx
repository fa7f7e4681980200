import './runs-table.css';
import type { RunRow } from '@binnacle/contract';
import { Checkbox } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { useRouter } from '@tanstack/react-router';
import { columnResizingFeature, columnSizingFeature, createColumnHelper, tableFeatures, useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { directionOf, isRight, SortButton } from './cells.tsx';
import { parseColumn } from './columns.ts';
import type { Line } from './lines.ts';
import { type GroupActions, type RowProps, TableLine } from './table-lines.tsx';

const features = tableFeatures({ columnSizingFeature, columnResizingFeature });
const helper = createColumnHelper<typeof features, RunRow>();
const NO_ROWS: RunRow[] = [];
const NO_WIDTHS: Record<string, number> = {};
const ROW = 34;
const HEAD = 36;
const PREFIX = { a: '', m: '', p: '', t: 'tag ' } as const;

export interface RunsTableProps {
  /** The rows there are; those in view are asked for one by one. */
  lines: { count: number; at(i: number): Line };
  /** Changes when other lines come, which begin at the top. */
  of: string;
  columns: string[];
  /** Drawn widths by column. */
  widths: Record<string, number> | undefined;
  onWidths: (widths: Record<string, number>) => void;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
  selected: string[];
  onTick: (runId: string) => void;
  /** Ticks what is loaded, or unticks all. */
  onTickAll: () => void;
  /** The first and last line in view. */
  onRange: (from: number, to: number) => void;
  loading: boolean;
  /** Absent: the runs stand alone. */
  groups?: GroupActions | undefined;
}

/** The runs of an experiment, alone or in groups: rows and columns are both virtual, the name stays in view, arrows move, Space ticks, Enter opens. */
export function RunsTable(props: RunsTableProps) {
  const { lines, of, columns, widths = NO_WIDTHS, onWidths, sort, onSort, selected, onTick, onTickAll, onRange, loading, groups } = props;
  const router = useRouter();
  const narrow = useMediaQuery('(max-width: 48em)');
  const nameWidth = narrow ? 180 : 270;
  const [active, setActive] = useState(0);
  const grouped = groups !== undefined;
  const { scroll, remember } = useAnchor(lines, of, !grouped);
  const ticked = useMemo(() => new Set(selected), [selected]);

  const defs = useMemo(
    () =>
      columns.map((id) => {
        const column = parseColumn(id);
        return helper.display({
          id,
          size: column?.kind === 'm' ? (grouped ? 160 : 112) : id === 'a:duration' ? 96 : 130,
          minSize: 56,
          header: column === undefined ? id : `${PREFIX[column.kind]}${column.key}`,
        });
      }),
    [columns, grouped],
  );
  const { sizing, setSizing } = useWidths(widths, onWidths);
  const table = useTable({
    features,
    data: NO_ROWS,
    columns: defs,
    columnResizeMode: 'onChange',
    state: { columnSizing: sizing },
    onColumnSizingChange: (updater) => setSizing(typeof updater === 'function' ? updater(sizing) : updater),
  });
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const sizes = headers.map((h) => h.column.getSize());
  const sizeKey = sizes.join();

  const rowView = useVirtualizer({ count: lines.count, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 12 });
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
  const inView = columnView.getVirtualItems();
  const padLeft = (inView[0]?.start ?? nameWidth) - nameWidth;
  const shown = {
    nameWidth,
    padLeft,
    columns: inView.flatMap(({ index, size }) => {
      const id = headers[index]?.id;
      return id === undefined ? [] : [{ id, index, size }];
    }),
  };

  const visible = rowView.getVirtualItems();
  const from = visible[0]?.index ?? 0;
  const to = visible[visible.length - 1]?.index ?? 0;
  // The row that Tab reaches: the active one, or one in view when that was scrolled away.
  const stop = visible.some((item) => item.index === active) ? active : visible[Math.floor(visible.length / 2)]?.index;
  const tell = useThrottled(onRange);
  useEffect(() => tell(from, to), [tell, from, to]);

  const focusRow = (index: number) => {
    const next = Math.max(0, Math.min(lines.count - 1, index));
    setActive(next);
    rowView.scrollToIndex(next);
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>, index: number) => {
    if (event.target !== event.currentTarget) return;
    const line = lines.at(index);
    const group = line.kind === 'group' ? line : undefined;
    const act = {
      ArrowDown: () => focusRow(index + 1),
      ArrowUp: () => focusRow(index - 1),
      Home: () => focusRow(0),
      End: () => focusRow(lines.count - 1),
      PageDown: () => focusRow(index + 15),
      PageUp: () => focusRow(index - 15),
      ' ': () => (line.kind === 'run' ? onTick(line.run.id) : group !== undefined && groups?.onTick(group.group)),
      Enter: () =>
        line.kind === 'run' ? void router.navigate({ to: '/runs/$runId', params: { runId: line.run.id } }) : group && groups?.onToggle(group.group.id),
      ArrowRight: () => group?.open === false && groups?.onToggle(group.group.id),
      ArrowLeft: () => group?.open === true && groups?.onToggle(group.group.id),
    }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  const rowOf = (index: number, start: number): RowProps => ({
    'data-row': index,
    'aria-rowindex': index + 2,
    tabIndex: index === stop ? 0 : -1,
    style: { width, transform: `translateY(${start}px)` },
    onKeyDown: (e) => onKeyDown(e, index),
    onFocus: () => setActive(index),
  });

  return (
    <div
      ref={scroll}
      className="rt"
      style={{ height: `min(max(320px, calc(100dvh - 270px)), ${lines.count * ROW + HEAD + 18}px)` }}
      role={grouped ? 'treegrid' : 'grid'}
      aria-label="Runs"
      aria-rowcount={lines.count + 1}
      aria-colcount={headers.length + 1}
      aria-multiselectable="true"
      aria-busy={loading}
      onScroll={remember}
      tabIndex={lines.count === 0 ? 0 : -1}
    >
      <div className="rt-head" role="row" aria-rowindex={1} style={{ width }}>
        <div className="rt-cell rt-pin" role="columnheader" aria-colindex={1} aria-sort={directionOf('a:name', sort)} style={{ width: nameWidth }}>
          <Checkbox aria-label={ticked.size > 0 ? 'Untick all' : 'Tick the first runs'} checked={false} indeterminate={ticked.size > 0} onChange={onTickAll} />
          <SortButton id="a:name" label={grouped ? 'Runs' : 'Run'} sort={sort} onSort={onSort} />
        </div>
        <div style={{ flex: 'none', width: padLeft }} role="presentation" />
        {inView.map((item) => {
          const header = headers[item.index];
          if (header === undefined) return null;
          return (
            <div
              key={header.id}
              className={`rt-cell ${isRight(header.id) ? 'right' : ''}`}
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
        {visible.map(({ index, start }) => {
          if (index >= lines.count) return null;
          return <TableLine key={index} row={rowOf(index, start)} shown={shown} line={lines.at(index)} ticked={ticked} onTick={onTick} groups={groups} />;
        })}
      </div>
    </div>
  );
}

/** Widths follow the pointer here, and the address a moment later. */
function useWidths(widths: Record<string, number>, onWidths: (widths: Record<string, number>) => void) {
  const [sizing, setSizing] = useState(widths);
  const [known, setKnown] = useState(widths);
  const [sent, setSent] = useState(widths);
  if (known !== widths) {
    setKnown(widths);
    // Not an echo of what was drawn here: a view, or the way back.
    if (JSON.stringify(sent) !== JSON.stringify(widths)) setSizing(widths);
  }
  const send = useDebouncedCallback((next: Record<string, number>) => {
    setSent(next);
    onWidths(next);
  }, 300);
  return {
    sizing,
    setSizing: (next: Record<string, number>) => {
      const whole = Object.fromEntries(Object.entries(next).map(([id, size]) => [id, Math.round(size)]));
      setSizing(whole);
      send(whole);
    },
  };
}

/** At most one call in 80 ms, the last one always: a thumb that is dragged passes a hundred pages. */
function useThrottled(call: (from: number, to: number) => void): (from: number, to: number) => void {
  const state = useRef<{ timer?: ReturnType<typeof setTimeout>; next?: [number, number]; at: number }>({ at: 0 });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return useMemo(
    () => (from: number, to: number) => {
      const now = state.current;
      now.next = [from, to];
      if (now.timer !== undefined) return;
      const wait = Math.max(0, 80 - (performance.now() - now.at));
      now.timer = setTimeout(() => {
        delete now.timer;
        now.at = performance.now();
        if (now.next !== undefined) call(...now.next);
      }, wait);
    },
    [call],
  );
}

/** Runs that arrive above must not push away what is being read; other lines begin at the top. `remember` is to be called when it scrolls. */
function useAnchor(lines: RunsTableProps['lines'], of: string, enabled: boolean) {
  const scroll = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ id: string; at: number } | undefined>(undefined);
  const before = useRef(of);
  const idAt = (i: number): string | undefined => {
    const line = i < lines.count ? lines.at(i) : undefined;
    return line?.kind === 'run' ? line.run.id : undefined;
  };
  useLayoutEffect(() => {
    const box = scroll.current;
    if (box === null) return;
    if (before.current !== of) {
      before.current = of;
      anchor.current = undefined;
      box.scrollTop = 0;
      return;
    }
    const was = anchor.current;
    if (!enabled || was === undefined || box.scrollTop <= ROW || idAt(was.at) === was.id) return;
    for (let i = was.at + 1; i < was.at + 200; i++) {
      if (idAt(i) !== was.id) continue;
      box.scrollTop += (i - was.at) * ROW;
      anchor.current = { id: was.id, at: i };
      return;
    }
  });
  const remember = () => {
    const at = Math.floor((scroll.current?.scrollTop ?? 0) / ROW);
    const id = idAt(at);
    anchor.current = id === undefined ? undefined : { id, at };
  };
  return { scroll, remember };
}
