import './charts.css';
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import type { Axis } from './axis.ts';

/** Parts of axes that runs must go through, by the axis: from and to, 0 at the bottom. */
export type Brushes = Readonly<Record<string, readonly [number, number]>>;

const TOP = 34;
const HEIGHT = 280;
const WIDE = 150;
const yOf = (at: number): number => TOP + (1 - at) * (HEIGHT - TOP - 16);
const atOf = (y: number): number => Math.max(0, Math.min(1, 1 - (y - TOP) / (HEIGHT - TOP - 16)));

/** Whether a run goes through every brush. */
export const isWithin = (axes: readonly Axis[], brushes: Brushes, run: number): boolean =>
  axes.every(({ id, positions }) => {
    const brush = brushes[id];
    if (brush === undefined) return true;
    const at = positions[run];
    return at !== null && at !== undefined && at >= brush[0] - 1e-9 && at <= brush[1] + 1e-9;
  });

/** The path of a run over the axes, broken where it has no value. */
function pathOf(axes: readonly Axis[], run: number, x: (i: number) => number): string {
  let path = '';
  let pen = false;
  for (const [i, { positions }] of axes.entries()) {
    const at = positions[run];
    if (at === null || at === undefined) {
      pen = false;
      continue;
    }
    path += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${yOf(at).toFixed(1)}`;
    pen = true;
  }
  return path;
}

/**
 * Parallel coordinates: an axis a column, a line a run; a line under the pointer stands out. Drawing along an axis keeps the runs that go
 * through there; a click on it lets all through again. By keyboard: arrows move the upper end of a focused axis, with Shift the lower one,
 * Delete clears.
 */
export function ParallelCoordinates({
  axes,
  runs,
  brushes,
  onBrush,
}: {
  axes: readonly Axis[];
  runs: readonly { id: string; name: string }[];
  brushes: Brushes;
  onBrush: (axis: string, brush: [number, number] | undefined) => void;
}) {
  const [active, setActive] = useState<number | undefined>();
  const width = Math.max(520, axes.length * WIDE);
  const x = (i: number) => 70 + (axes.length === 1 ? 0 : (i / (axes.length - 1)) * (width - 190));
  const brushed = axes.some(({ id }) => brushes[id] !== undefined);
  const within = runs.map((_, run) => !brushed || isWithin(axes, brushes, run));
  const opacity = (run: number) => (active === run ? 1 : within[run] === false ? 0.05 : active === undefined ? (runs.length > 60 ? 0.6 : 0.9) : 0.18);
  return (
    <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="Parallel coordinates">
      <svg
        width={width}
        height={HEIGHT}
        role="group"
        aria-label={`Parallel coordinates of ${runs.length} runs over ${axes.map((a) => a.label).join(', ')}; the table above holds the same values`}
      >
        {runs.map((run, r) => (
          <path
            key={run.id}
            d={pathOf(axes, r, x)}
            data-within={within[r]}
            fill="none"
            stroke={`var(--bn-s${(r % 8) + 1})`}
            strokeWidth={active === r ? 3 : runs.length > 60 ? 1.1 : 1.6}
            opacity={opacity(r)}
            pointerEvents={within[r] === false ? 'none' : undefined}
            onMouseEnter={() => setActive(r)}
            onMouseLeave={() => setActive(undefined)}
          >
            <title>{run.name}</title>
          </path>
        ))}
        {axes.map((axis, i) => (
          <BrushAxis key={axis.id} axis={axis} x={x(i)} first={i === 0} brush={brushes[axis.id]} onBrush={(brush) => onBrush(axis.id, brush)} />
        ))}
      </svg>
    </div>
  );
}

function BrushAxis({
  axis,
  x,
  first,
  brush,
  onBrush,
}: {
  axis: Axis;
  x: number;
  first: boolean;
  brush: readonly [number, number] | undefined;
  onBrush: (brush: [number, number] | undefined) => void;
}) {
  const start = useRef<number | undefined>(undefined);
  const [drawn, setDrawn] = useState<[number, number] | undefined>();
  const shown = drawn ?? brush;
  const at = (event: PointerEvent<SVGElement>) => atOf(event.clientY - (event.currentTarget.ownerSVGElement as SVGElement).getBoundingClientRect().top);
  const end = (event: PointerEvent<SVGElement>) => {
    if (start.current === undefined) return;
    const here = at(event);
    onBrush(Math.abs(here - start.current) < 0.02 ? undefined : [Math.min(start.current, here), Math.max(start.current, here)]);
    start.current = undefined;
    setDrawn(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowUp: 0.05, ArrowDown: -0.05 }[event.key];
    if (step === undefined && event.key !== 'Delete' && event.key !== 'Escape') return;
    event.preventDefault();
    if (step === undefined) return onBrush(undefined);
    const [low, high] = brush ?? [0, 1];
    const move = (end: number) => Math.max(0, Math.min(1, Math.round((end + step) * 100) / 100));
    const next: [number, number] = event.shiftKey ? [Math.min(move(low), high), high] : [low, Math.max(move(high), low)];
    onBrush(next[0] <= 0 && next[1] >= 1 ? undefined : next);
  };
  const near = (place: number) =>
    axis.ticks.reduce((best, tick) => (Math.abs(tick.at - place) < Math.abs(best.at - place) ? tick : best), axis.ticks[0] ?? { at: 0, label: '' }).label;
  return (
    <g>
      <line x1={x} x2={x} y1={yOf(1)} y2={yOf(0)} stroke="var(--bn-border)" strokeWidth={1.5} />
      <text x={x} y={16} textAnchor={first ? 'start' : 'middle'} dx={first ? -60 : 0} style={{ fontSize: 12, fontWeight: 600, fill: 'var(--bn-ink)' }}>
        {axis.label.length > 22 ? `${axis.label.slice(0, 21)}…` : axis.label}
        <title>{axis.label}</title>
      </text>
      {axis.ticks.map((tick) => (
        <text
          key={`${tick.at}${tick.label}`}
          className="bn-axis"
          x={x + 10}
          y={yOf(tick.at) + 4}
          style={{ paintOrder: 'stroke', stroke: 'var(--mantine-color-body)', strokeWidth: 3, pointerEvents: 'none' }}
        >
          {tick.label.length > 16 ? `${tick.label.slice(0, 15)}…` : tick.label}
        </text>
      ))}
      {shown !== undefined && (
        <rect
          x={x - 6}
          width={12}
          y={yOf(shown[1])}
          height={Math.max(2, yOf(shown[0]) - yOf(shown[1]))}
          fill="color-mix(in srgb, var(--bn-s1) 35%, transparent)"
          stroke="var(--bn-s1)"
        />
      )}
      <rect
        className="bn-brush"
        x={x - 9}
        width={18}
        y={TOP - 6}
        height={HEIGHT - TOP - 4}
        fill="transparent"
        tabIndex={0}
        role="slider"
        aria-label={`Limit ${axis.label}`}
        aria-orientation="vertical"
        aria-valuemin={0}
        aria-valuemax={1}
        aria-valuenow={shown?.[1] ?? 1}
        aria-valuetext={shown === undefined ? 'all' : `about ${near(shown[0])} to ${near(shown[1])}`}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = at(event);
        }}
        onPointerMove={(event) => {
          if (start.current === undefined) return;
          const here = at(event);
          setDrawn([Math.min(start.current, here), Math.max(start.current, here)]);
        }}
        onPointerUp={end}
        onPointerCancel={() => {
          start.current = undefined;
          setDrawn(undefined);
        }}
      />
    </g>
  );
}
