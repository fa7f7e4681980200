import './series.css';
import '../../charts/charts.css';
import type { Histogram } from '@binnacle/contract';
import { Text } from '@mantine/core';
import { useMemo } from 'react';
import { formatCompact, formatInt, formatNumber, formatTime, plural } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { barsOf, type HeatGrid, type HistogramAt, heatGrid, histogramsOf, momentsOf, nearestIndex } from './histograms.ts';
import { StepSlider } from './step-slider.tsx';
import { type StepView, useEntries } from './use-entries.ts';

const COLUMNS = 100;
const ROWS = 40;
const W = 760;
const H = 240;
const LEFT = 56;
const BOTTOM = 24;

/** Histograms over steps: all as a map of how often which values are, and one of them as bars. */
export function HistogramView(view: StepView) {
  const { name, step, onStep } = view;
  const entries = useEntries(view, 'histogram', COLUMNS);
  const histograms = useMemo(() => histogramsOf(entries.data?.entries ?? []), [entries.data]);
  const grid = useMemo(() => heatGrid(histograms, ROWS), [histograms]);
  const steps = useMemo(() => histograms.map((h) => h.step), [histograms]);
  if (entries.isError && entries.data === undefined) return <ErrorState error={entries.error} retry={entries.refetch} />;
  if (entries.data === undefined) return <Loading />;
  const index = nearestIndex(steps, step);
  const chosen = histograms[index];
  if (chosen === undefined)
    return (
      <Text c="dimmed" size="sm">
        No histograms.
      </Text>
    );
  const choose = (i: number) => onStep(steps[i] as number);
  return (
    <>
      <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="All steps">
        <HeatPicture name={name} histograms={histograms} grid={grid} index={index} onIndex={choose} />
      </div>
      <StepSlider label="Step of the histogram" steps={steps} timestamps={histograms.map((h) => h.timestamp)} index={index} onIndex={choose} />
      <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="One step">
        <OneHistogram name={name} histogram={chosen} />
      </div>
      <Text size="xs" c="dimmed" mt={4}>
        {formatTime(chosen.timestamp)}
        {chosen.inherited ? '; from the run that this one was forked from' : ''}
        {entries.data.total > histograms.length ? `; ${histograms.length} of ${plural(entries.data.total, 'step')}, evenly chosen` : ''}
      </Text>
    </>
  );
}

function HeatPicture({
  name,
  histograms,
  grid,
  index,
  onIndex,
}: {
  name: string;
  histograms: HistogramAt[];
  grid: HeatGrid;
  index: number;
  onIndex: (index: number) => void;
}) {
  const width = (W - LEFT - 8) / histograms.length;
  const height = (H - BOTTOM - 8) / ROWS;
  const x = (i: number) => LEFT + i * width;
  const y = (row: number) => H - BOTTOM - (row + 1) * height;
  // The border between what is inherited and the run's own.
  const fork = histograms.findIndex((h) => !h.inherited);
  const marks = [...new Set([0, 0.25, 0.5, 0.75, 1].map((t) => Math.round(t * (histograms.length - 1))))];
  return (
    <svg
      viewBox={`0 0 ${W} ${H}`}
      style={{ width: '100%', minWidth: 520 }}
      role="img"
      aria-label={`${name} over ${plural(histograms.length, 'step')}, from ${formatNumber(grid.edges[0])} to ${formatNumber(grid.edges[ROWS])}; the darker, the more values`}
    >
      <g shapeRendering="crispEdges">
        {grid.columns.map((column, i) => (
          // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the slider below does the same by keyboard.
          <g key={i} className="bn-hist-cell" onClick={() => onIndex(i)}>
            <title>{`step ${formatNumber(histograms[i]?.step)}: ${formatInt(histograms[i]?.total)} values`}</title>
            <rect x={x(i)} y={8} width={width} height={H - BOTTOM - 8} fill="transparent" />
            {column.map(
              (share, row) =>
                share > 0 && (
                  <rect
                    key={row}
                    x={x(i)}
                    y={y(row)}
                    width={width}
                    height={height}
                    fill="var(--bn-s1)"
                    fillOpacity={0.07 + 0.93 * Math.sqrt(share / grid.top)}
                  />
                ),
            )}
          </g>
        ))}
      </g>
      <rect x={x(index)} y={7} width={Math.max(2, width)} height={H - BOTTOM - 6} fill="none" stroke="var(--bn-s2)" strokeWidth={1.6} pointerEvents="none" />
      {fork > 0 && (
        <g pointerEvents="none">
          <line x1={x(fork)} x2={x(fork)} y1={4} y2={H - BOTTOM} stroke="var(--bn-muted)" strokeDasharray="3 3" />
          <text className="bn-axis" x={x(fork) + 3} y={14}>
            forked
          </text>
        </g>
      )}
      {[0, 0.5, 1].map((t) => (
        <text key={t} className="bn-axis" x={LEFT - 6} y={H - BOTTOM - t * (H - BOTTOM - 8) + (t === 0 ? 0 : t === 1 ? 9 : 4)} textAnchor="end">
          {formatNumber((grid.edges[0] as number) + t * ((grid.edges[ROWS] as number) - (grid.edges[0] as number)), 3)}
        </text>
      ))}
      {marks.map((i) => (
        <text
          key={i}
          className="bn-axis"
          x={x(i) + width / 2}
          y={H - 7}
          textAnchor={i === 0 && histograms.length > 1 ? 'start' : i === histograms.length - 1 && i > 0 ? 'end' : 'middle'}
        >
          {formatNumber(histograms[i]?.step)}
        </text>
      ))}
    </svg>
  );
}

function OneHistogram({ name, histogram }: { name: string; histogram: HistogramAt }) {
  const bars = barsOf(histogram);
  const [low, high] = [histogram.edges[0] as number, histogram.edges[histogram.edges.length - 1] as number];
  const top = Math.max(1e-300, ...bars.map((b) => b.height));
  const x = (value: number) => LEFT + ((value - low) / (high - low || 1)) * (W - LEFT - 8);
  const y = (value: number) => H - BOTTOM - (value / top) * (H - BOTTOM - 14);
  return (
    <svg
      viewBox={`0 0 ${W} ${H}`}
      style={{ width: '100%', minWidth: 520 }}
      role="img"
      aria-label={`${name} at step ${formatNumber(histogram.step)}: ${inWords(histogram)}`}
    >
      {[0.5, 1].map((t) => (
        <g key={t}>
          <line x1={LEFT} x2={W - 8} y1={y(top * t)} y2={y(top * t)} stroke="var(--bn-grid)" />
          {equal(histogram) && (
            <text className="bn-axis" x={LEFT - 6} y={y(top * t) + 4} textAnchor="end">
              {formatCompact(top * t)}
            </text>
          )}
        </g>
      ))}
      {bars.map((bar, i) => (
        <rect
          key={i}
          x={x(bar.from)}
          width={Math.max(0.6, x(bar.to) - x(bar.from) - 0.6)}
          y={y(bar.height)}
          height={H - BOTTOM - y(bar.height)}
          fill="var(--bn-s1)"
          fillOpacity={0.75}
        >
          <title>{`${formatNumber(bar.from)} to ${formatNumber(bar.to)}: ${formatInt(bar.count)}`}</title>
        </rect>
      ))}
      <line x1={LEFT} x2={W - 8} y1={H - BOTTOM} y2={H - BOTTOM} stroke="var(--bn-border)" />
      {[0, 0.25, 0.5, 0.75, 1].map((t) => (
        <text key={t} className="bn-axis" x={x(low + t * (high - low))} y={H - 7} textAnchor={t === 0 ? 'start' : t === 1 ? 'end' : 'middle'}>
          {formatNumber(low + t * (high - low), 3)}
        </text>
      ))}
    </svg>
  );
}

const equal = ({ edges }: Histogram): boolean => {
  const first = (edges[1] as number) - (edges[0] as number);
  return edges.every((e, i) => i === 0 || Math.abs(e - (edges[i - 1] as number) - first) <= Math.abs(first) * 1e-6);
};

function inWords(histogram: HistogramAt): string {
  const moments = momentsOf(histogram);
  return `${formatInt(histogram.total)} values in ${histogram.counts.length} bins${moments === undefined ? '' : `, mean about ${formatNumber(moments.mean, 3)}, standard deviation about ${formatNumber(moments.deviation, 3)}`}`;
}
