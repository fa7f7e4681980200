import { Checkbox } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { CSSProperties, HTMLAttributes, ReactNode } from 'react';
import { FoldButton } from '../nested/fold-button.tsx';
import { Cell, isRight } from './cells.tsx';
import { GroupCell } from './group-cell.tsx';
import { groupName, type ShownGroup } from './groups.ts';
import type { Line } from './lines.ts';

const DOTS: Record<string, string> = {
  RUNNING: 'var(--bn-s1)',
  FINISHED: 'var(--bn-good)',
  FAILED: 'var(--bn-bad)',
  KILLED: 'var(--bn-warn)',
  SCHEDULED: 'var(--bn-muted)',
};

/** The columns in view, and where they begin. */
export interface ShownColumns {
  columns: { id: string; index: number; size: number }[];
  nameWidth: number;
  padLeft: number;
}
/** What a row needs of the grid: place, focus and keys. */
export type RowProps = HTMLAttributes<HTMLDivElement> & { 'data-row': number };

function Row({ row, shown, name, inside, cell }: { row: RowProps; shown: ShownColumns; name: ReactNode; inside?: boolean; cell: (id: string) => ReactNode }) {
  const pinned: CSSProperties = { width: shown.nameWidth, ...(inside === true ? { paddingLeft: 28 } : {}) };
  return (
    <div role="row" {...row}>
      <div className="rt-cell rt-pin" role="gridcell" aria-colindex={1} style={pinned}>
        {name}
      </div>
      <div style={{ flex: 'none', width: shown.padLeft }} role="presentation" />
      {shown.columns.map(({ id, index, size }) => (
        <div key={id} className={`rt-cell ${isRight(id) ? 'right' : ''}`} role="gridcell" aria-colindex={index + 2} style={{ width: size }}>
          {cell(id)}
        </div>
      ))}
    </div>
  );
}

export interface GroupActions {
  by: string[];
  ticked: (group: ShownGroup) => 'all' | 'some' | 'none';
  onTick: (group: ShownGroup) => void;
  onToggle: (id: string) => void;
}

/** One row whatever the line is, so that a run that comes takes the place, and the focus, of the one that was waited for. */
export function TableLine({
  row,
  shown,
  line,
  ticked,
  onTick,
  groups,
}: {
  row: RowProps;
  shown: ShownColumns;
  line: Line;
  ticked: ReadonlySet<string>;
  onTick: (runId: string) => void;
  groups: GroupActions | undefined;
}) {
  const { rowProps, ...content } =
    line.kind === 'run' ? runContent(line, ticked, onTick) : line.kind === 'group' && groups !== undefined ? groupContent(line, groups) : WAIT;
  return <Row row={{ ...row, ...rowProps }} shown={shown} {...content} />;
}

interface Content {
  rowProps: HTMLAttributes<HTMLDivElement> & { 'data-group'?: boolean };
  name: ReactNode;
  inside?: boolean;
  cell: (id: string) => ReactNode;
}

/** A run that has not come yet. */
const WAIT: Content = {
  rowProps: { className: 'rt-row', 'aria-busy': true },
  name: <span className="rt-bar" title="loading" />,
  cell: () => <span className="rt-bar" />,
};

function runContent({ run, inside }: Extract<Line, { kind: 'run' }>, ticked: ReadonlySet<string>, onTick: (runId: string) => void): Content {
  const status = run.status.toLowerCase();
  const on = ticked.has(run.id);
  return {
    rowProps: { className: 'rt-row', 'aria-selected': on, ...(inside ? { 'aria-level': 2 } : {}) },
    inside,
    name: (
      <>
        <Checkbox tabIndex={-1} aria-label={`Tick ${run.name}`} checked={on} onChange={() => onTick(run.id)} />
        <span className="bn-dot" style={{ background: DOTS[run.status] }} title={status} role="img" aria-label={status} />
        <Link to="/runs/$runId" params={{ runId: run.id }} className="bn-link" tabIndex={-1} title={run.name} preload={false}>
          {run.name || run.id}
        </Link>
      </>
    ),
    cell: (id) => <Cell run={run} id={id} />,
  };
}

function groupContent({ group, open }: Extract<Line, { kind: 'group' }>, { by, ticked, onTick, onToggle }: GroupActions): Content {
  const name = groupName(group, by);
  const state = ticked(group);
  return {
    rowProps: { className: 'rt-row rt-group', 'aria-level': 1, 'aria-expanded': open, 'data-group': true },
    name: (
      <>
        <Checkbox
          tabIndex={-1}
          aria-label={`Tick the runs of ${name}`}
          checked={state === 'all'}
          indeterminate={state === 'some'}
          onChange={() => onTick(group)}
        />
        <FoldButton label={name} title={name} count={group.runs} open={open} onToggle={() => onToggle(group.id)} />
      </>
    ),
    cell: (id) => <GroupCell group={group} id={id} by={by} />,
  };
}
