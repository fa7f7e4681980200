import './charts.css';
import { type KeyboardEvent, useRef } from 'react';

export interface HeatCell {
  level: 0 | 1 | 2 | 3 | 4 | null;
  text: string;
  /** Read aloud and shown on hover. */
  label: string;
  marked?: boolean;
  pressed?: boolean;
  /** Not judged: drawn in italics with a dashed edge. */
  faint?: boolean;
}
export interface HeatRow {
  key: string;
  label: string;
  note?: string;
  cells: HeatCell[];
}

/** A table of coloured buttons: arrows move between cells, the figure stands in each, so colour is never alone. */
export function HeatMap({
  caption,
  columns,
  rows,
  onOpen,
}: {
  caption: string;
  columns: { key: string; label: string; title: string }[];
  rows: HeatRow[];
  onOpen: (row: number, column: number) => void;
}) {
  const table = useRef<HTMLTableElement>(null);
  const onKeyDown = (event: KeyboardEvent, row: number, column: number) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (step === undefined) return;
    const next = table.current?.querySelector<HTMLElement>(`[data-cell="${row + (step[0] ?? 0)}.${column + (step[1] ?? 0)}"]`);
    if (next === null || next === undefined) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <div style={{ overflowX: 'auto', paddingBottom: 4 }} tabIndex={-1}>
      <table className="bn-heat" ref={table}>
        <caption style={{ captionSide: 'bottom', textAlign: 'left', color: 'var(--bn-muted)', paddingTop: 6 }}>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Feature</th>
            {columns.map((c) => (
              <th key={c.key} scope="col" title={c.title}>
                {c.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, r) => (
            <tr key={row.key}>
              <th scope="row" title={row.label}>
                {row.label}
                {row.note !== undefined && <span style={{ color: 'var(--bn-muted)' }}> {row.note}</span>}
              </th>
              {row.cells.map((cell, c) => (
                <td key={columns[c]?.key ?? c}>
                  <button
                    type="button"
                    data-cell={`${r}.${c}`}
                    tabIndex={r === 0 && c === 0 ? 0 : cell.pressed === true ? 0 : -1}
                    className={cell.level === null ? 'none' : ''}
                    aria-pressed={cell.pressed === true}
                    aria-label={cell.label}
                    title={cell.label}
                    style={
                      cell.level === null
                        ? undefined
                        : {
                            background: `var(--bn-heat-${cell.level})`,
                            color: HEAT_TEXT[cell.level],
                            fontWeight: cell.marked === true ? 700 : 400,
                            ...(cell.faint === true ? { fontStyle: 'italic', border: '1px dashed var(--bn-muted)' } : {}),
                          }
                    }
                    onClick={() => onOpen(r, c)}
                    onKeyDown={(e) => onKeyDown(e, r, c)}
                  >
                    {cell.marked === true && <span aria-hidden>▲&thinsp;</span>}
                    {cell.text}
                  </button>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
/** Text that reads on each step in both colour schemes. */
const HEAT_TEXT = [
  'var(--bn-ink)',
  'light-dark(#1b2733, #eaf2f8)',
  'light-dark(#0b1a26, #ffffff)',
  'light-dark(#2b1500, #180c00)',
  'light-dark(#ffffff, #180c00)',
] as const;

/** What the colours mean. */
export function HeatLegend() {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 6, fontSize: 12, color: 'var(--bn-muted)', flexWrap: 'wrap' }}>
      none
      {[0, 1, 2].map((l) => (
        <span key={l} aria-hidden style={{ width: 16, height: 12, borderRadius: 2, background: `var(--bn-heat-${l})`, border: '1px solid var(--bn-grid)' }} />
      ))}
      bound
      {[3, 4].map((l) => (
        <span key={l} aria-hidden style={{ width: 16, height: 12, borderRadius: 2, background: `var(--bn-heat-${l})` }} />
      ))}
      ▲ drift
    </span>
  );
}
