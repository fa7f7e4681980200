import './nested.css';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import { FoldButton } from './fold-button.tsx';
import type { Leaf, TreeRow } from './tree.ts';

const ROW = 32;
const STEP = 16;
const DEEPEST = 8;

/** A tree of keys with cells beside each; only the rows in view are mounted. `renderCells` gives elements with the role gridcell. */
export function TreeGrid<T>({
  label,
  rows,
  renderCells,
  onToggle,
  onRange,
  onEnd,
}: {
  label: string;
  rows: TreeRow<T>[];
  renderCells: (leaf: Leaf<T>, indent: number) => ReactNode;
  onToggle: (path: string) => void;
  onRange?: (first: number, last: number) => void;
  onEnd?: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const view = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 6,
    getItemKey: (i) => {
      const row = rows[i];
      return row === undefined ? i : row.kind === 'leaf' ? `l${row.key}` : `b${row.path}`;
    },
  });
  const items = view.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items[items.length - 1]?.index ?? 0;
  useEffect(() => onRange?.(first, last), [first, last, onRange]);
  useEffect(() => {
    if (last > rows.length - 50) onEnd?.();
  }, [last, rows.length, onEnd]);
  // Its margins take the panel's padding away, which then belongs to what is there instead.
  if (rows.length === 0) return null;
  return (
    <div ref={box} className="bn-tree" style={{ maxHeight: 420 }} tabIndex={0} role="treegrid" aria-label={label} aria-rowcount={rows.length}>
      <div style={{ height: view.getTotalSize(), position: 'relative' }} role="rowgroup">
        {items.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          const indent = Math.min(row.depth, DEEPEST) * STEP;
          return (
            <div
              key={item.key}
              ref={view.measureElement}
              data-index={item.index}
              role="row"
              aria-rowindex={item.index + 1}
              aria-level={row.depth + 1}
              {...(row.kind === 'branch' ? { 'aria-expanded': row.open } : {})}
              className="bn-tree-row"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {row.kind === 'leaf' ? (
                renderCells(row, indent)
              ) : (
                <span role="gridcell" style={{ minWidth: 0, paddingLeft: indent }}>
                  <FoldButton label={row.label} title={row.path} count={row.keys.length} open={row.open} onToggle={() => onToggle(row.path)} />
                </span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
