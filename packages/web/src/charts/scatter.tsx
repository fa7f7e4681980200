import './charts.css';
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { Axis } from './axis.ts';
import { drawPoints, nearest, type Point, placeX, placeY, pointsOf, rampColor } from './scatter-draw.ts';

const HEIGHT = 360;
const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export interface ScatterProps {
  x: Axis;
  y: Axis;
  /** What the points are coloured by. */
  color: Axis | undefined;
  names: readonly string[];
  /** What the tip and a screen reader say of a run. */
  describe: (index: number) => string;
  ticked: ReadonlySet<number>;
  onOpen: (index: number) => void;
  /** Runs in a box that was drawn, or one by Space or Ctrl-click. */
  onPick: (indices: number[]) => void;
}

/** A point a run on a canvas: hover names it, a click opens it, a box that is drawn picks what is in it. Arrows go from point to point. */
export function Scatter({ x, y, color, names, describe, ticked, onOpen, onPick }: ScatterProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const scheme = useComputedColorScheme('light');
  const palette = useMemo(() => paletteOf(scheme), [scheme]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useMemo(() => ({ width: Math.max(280, width), height: HEIGHT }), [width]);
  const points = useMemo(() => {
    const places = color?.words === true ? new Map(color.ticks.map(({ at }, i) => [at, i])) : undefined;
    const colorAt = (index: number): string => {
      if (color === undefined) return palette.series[0] as string;
      const at = color.positions[index];
      if (at === null || at === undefined) return palette.none;
      return places === undefined ? rampColor(at) : (palette.series[(places.get(at) ?? 7) % 8] as string);
    };
    return pointsOf(x, y, frame, colorAt);
  }, [x, y, color, frame, palette]);
  const ordered = useMemo(() => [...points].sort((a, b) => a.x - b.x || a.y - b.y), [points]);
  const [active, setActive] = useState<number | undefined>();
  const [box, setBox] = useState<{ from: [number, number]; to: [number, number] } | undefined>();
  const shown = active === undefined ? undefined : points.find((point) => point.index === active);

  useEffect(() => {
    if (canvas.current !== null) drawPoints(canvas.current, frame, points, ticked, palette.ink);
  }, [points, ticked, frame, palette]);

  const at = (event: PointerEvent): [number, number] => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const isDrawn = (drawn: NonNullable<typeof box>) => Math.abs(drawn.to[0] - drawn.from[0]) > 5 || Math.abs(drawn.to[1] - drawn.from[1]) > 5;
  const onPointerUp = (event: PointerEvent) => {
    setBox(undefined);
    if (box !== undefined && isDrawn(box)) {
      const [left, right] = [Math.min(box.from[0], box.to[0]), Math.max(box.from[0], box.to[0])];
      const [top, bottom] = [Math.min(box.from[1], box.to[1]), Math.max(box.from[1], box.to[1])];
      onPick(points.filter((p) => p.x >= left && p.x <= right && p.y >= top && p.y <= bottom).map((p) => p.index));
      return;
    }
    const hit = nearest(points, ...at(event));
    if (hit === undefined) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) onPick([hit.index]);
    else onOpen(hit.index);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const place = ordered.findIndex((point) => point.index === active);
    const go = (next: number) => setActive(ordered[Math.max(0, Math.min(ordered.length - 1, next))]?.index);
    const act = {
      ArrowRight: () => go(place + 1),
      ArrowLeft: () => go(place - 1),
      Home: () => go(0),
      End: () => go(ordered.length - 1),
      Enter: () => active !== undefined && onOpen(active),
      ' ': () => active !== undefined && onPick([active]),
      Escape: () => setActive(undefined),
    }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return (
    <div ref={ref} style={{ position: 'relative', minWidth: 0, overflow: 'hidden' }}>
      {/* An application takes keys and pointers itself. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        role="application"
        tabIndex={0}
        aria-label={`Scatter plot of ${y.label} against ${x.label}: ${points.length} of ${names.length} runs. Arrows go from point to point, Enter opens, Space ticks.`}
        style={{ height: HEIGHT, position: 'relative', cursor: shown === undefined ? 'crosshair' : 'pointer', touchAction: 'pan-y' }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setBox({ from: at(event), to: at(event) });
        }}
        onPointerMove={(event) => {
          const place = at(event);
          if (box === undefined) setActive(nearest(points, ...place)?.index);
          else setBox({ ...box, to: place });
        }}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setBox(undefined)}
        onPointerLeave={() => box === undefined && setActive(undefined)}
        onKeyDown={onKeyDown}
      >
        <Grid x={x} y={y} frame={frame} />
        <canvas ref={canvas} aria-hidden style={{ position: 'absolute', inset: 0, width: frame.width, height: HEIGHT }} />
        <Marks frame={frame} active={shown} box={box !== undefined && isDrawn(box) ? box : undefined} />
      </div>
      <span aria-live="polite" className="bn-hidden">
        {shown === undefined ? '' : describe(shown.index)}
      </span>
      {shown !== undefined && box === undefined && (
        <div className="bn-tip" style={tipPlace(shown, frame.width)}>
          <div style={{ fontWeight: 600 }}>{names[shown.index]}</div>
          <div className="bn-tip-x" style={{ whiteSpace: 'pre-line' }}>
            {describe(shown.index)}
          </div>
        </div>
      )}
      {color !== undefined && <Legend color={color} />}
    </div>
  );
}

/** A canvas knows no variables of the style sheet: they are read anew when the scheme has changed. */
function paletteOf(scheme: 'light' | 'dark') {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return { scheme, series: Array.from({ length: 8 }, (_, i) => read(`--bn-s${i + 1}`)), none: read('--bn-muted'), ink: read('--bn-ink') };
}

const tipPlace = ({ x, y }: Point, width: number) => ({
  top: Math.max(4, y - 20),
  ...(x > width / 2 ? { right: width - x + 14 } : { left: x + 14 }),
});

const LAYER = { position: 'absolute', inset: 0, pointerEvents: 'none' } as const;

function Grid({ x, y, frame }: { x: Axis; y: Axis; frame: { width: number; height: number } }) {
  const bottom = placeY(0, frame) + (y.words ? 20 : 5);
  const most = Math.max(2, Math.floor(frame.width / 80));
  const every = Math.ceil(x.ticks.length / most);
  const everyY = Math.ceil(y.ticks.length / 14);
  return (
    <svg width={frame.width} height={frame.height} aria-hidden style={LAYER}>
      {x.ticks.map(({ at, label }, i) =>
        i % every === 0 ? (
          <g key={label}>
            <line x1={placeX(at, frame)} x2={placeX(at, frame)} y1={placeY(1, frame)} y2={bottom} stroke="var(--bn-grid)" />
            <text className="bn-axis" x={placeX(at, frame)} y={bottom + 12} textAnchor={at > 0.9 ? 'end' : at < 0.1 ? 'start' : 'middle'}>
              {short(label, 14)}
            </text>
          </g>
        ) : null,
      )}
      {y.ticks.map(({ at, label }, i) =>
        i % everyY === 0 ? (
          <g key={label}>
            <line x1={placeX(0, frame) - 5} x2={placeX(1, frame)} y1={placeY(at, frame)} y2={placeY(at, frame)} stroke="var(--bn-grid)" />
            <text className="bn-axis" x={placeX(0, frame) - 8} y={placeY(at, frame) + 4} textAnchor="end">
              {short(label, 9)}
            </text>
          </g>
        ) : null,
      )}
    </svg>
  );
}

/** The point under the pointer, the box that is drawn. */
function Marks({
  frame,
  active,
  box,
}: {
  frame: { width: number; height: number };
  active: Point | undefined;
  box: { from: [number, number]; to: [number, number] } | undefined;
}) {
  return (
    <svg width={frame.width} height={frame.height} aria-hidden style={LAYER}>
      {active !== undefined && <circle cx={active.x} cy={active.y} r={7} fill="none" stroke="var(--bn-ink)" strokeWidth={2} />}
      {box !== undefined && (
        <rect
          x={Math.min(box.from[0], box.to[0])}
          y={Math.min(box.from[1], box.to[1])}
          width={Math.abs(box.to[0] - box.from[0])}
          height={Math.abs(box.to[1] - box.from[1])}
          fill="color-mix(in srgb, var(--bn-s1) 16%, transparent)"
          stroke="var(--bn-s1)"
        />
      )}
    </svg>
  );
}

function Legend({ color }: { color: Axis }) {
  const first = color.ticks[0];
  const last = color.ticks[color.ticks.length - 1];
  return (
    <div className="bn-chart" style={{ padding: '2px 8px' }}>
      <figcaption style={{ display: 'flex', flexWrap: 'wrap', gap: '2px 14px', fontSize: 12, color: 'var(--bn-muted)' }}>
        <span>{color.label}:</span>
        {color.words ? (
          color.ticks.slice(0, 16).map(({ label }, i) => (
            <span key={label} className="bn-legend">
              <span className="bn-dot" style={{ background: `var(--bn-s${(i % 8) + 1})` }} />
              <span className="clip">{label}</span>
            </span>
          ))
        ) : (
          <span className="bn-legend">
            {first?.label}
            <span
              style={{
                width: 90,
                height: 8,
                borderRadius: 4,
                background: `linear-gradient(to right, ${[0, 1 / 3, 2 / 3, 1].map(rampColor).join(', ')})`,
              }}
            />
            {last?.label}
          </span>
        )}
        {color.positions.includes(null) && <span>grey: none</span>}
      </figcaption>
    </div>
  );
}
