import './charts.css';
import { useState } from 'react';

export interface Axis {
  id: string;
  label: string;
  /** Position of each run from 0 (bottom) to 1; null where it has no value. */
  positions: (number | null)[];
  ticks: { at: number; label: string }[];
}

/** Parallel coordinates: an axis a column, a line a run; a line under the pointer or focus stands out. */
export function ParallelCoordinates({ axes, runs }: { axes: Axis[]; runs: { id: string; name: string }[] }) {
  const [active, setActive] = useState<number | undefined>();
  const width = Math.max(520, axes.length * 150);
  const top = 34;
  const height = 260;
  const x = (i: number) => 70 + (axes.length === 1 ? 0 : (i / (axes.length - 1)) * (width - 190));
  const y = (at: number) => top + (1 - at) * (height - top - 16);
  const lines = runs.map((_, r) => {
    let path = '';
    let pen = false;
    axes.forEach((axis, i) => {
      const at = axis.positions[r];
      if (at === null || at === undefined) {
        pen = false;
        return;
      }
      path += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(at).toFixed(1)}`;
      pen = true;
    });
    return path;
  });
  return (
    <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="Parallel coordinates">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`Parallel coordinates of ${runs.length} runs over ${axes.map((a) => a.label).join(', ')}; the table below holds the same values`}
      >
        {lines.map((path, r) => (
          <path
            key={runs[r]?.id}
            d={path}
            fill="none"
            stroke={`var(--bn-s${(r % 8) + 1})`}
            strokeWidth={active === r ? 3 : 1.6}
            opacity={active === undefined || active === r ? 0.9 : 0.18}
            onMouseEnter={() => setActive(r)}
            onMouseLeave={() => setActive(undefined)}
          >
            <title>{runs[r]?.name}</title>
          </path>
        ))}
        {axes.map((axis, i) => (
          <g key={axis.id}>
            <line x1={x(i)} x2={x(i)} y1={y(1)} y2={y(0)} stroke="var(--bn-border)" strokeWidth={1.5} />
            <text
              x={x(i)}
              y={16}
              textAnchor={i === 0 ? 'start' : 'middle'}
              dx={i === 0 ? -60 : 0}
              style={{ fontSize: 12, fontWeight: 600, fill: 'var(--bn-ink)' }}
            >
              {axis.label.length > 22 ? `${axis.label.slice(0, 21)}…` : axis.label}
              <title>{axis.label}</title>
            </text>
            {axis.ticks.map((tick) => (
              <text
                key={`${tick.at}${tick.label}`}
                className="bn-axis"
                x={x(i) + 6}
                y={y(tick.at) + 4}
                style={{ paintOrder: 'stroke', stroke: 'var(--mantine-color-body)', strokeWidth: 3 }}
              >
                {tick.label.length > 16 ? `${tick.label.slice(0, 15)}…` : tick.label}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}
