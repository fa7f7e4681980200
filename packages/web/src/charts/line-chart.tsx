import 'uplot/dist/uPlot.min.css';
import './charts.css';
import { ActionIcon, Group, Tooltip, useComputedColorScheme } from '@mantine/core';
import { IconZoomReset } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import { formatNumber, formatTime } from '../ui/format.ts';
import { alignSeries, type ChartSeries, panRange, type Range, seriesColor, yRange, zoomRange } from './series.ts';
import { buildOptions, type ChartBand, type ChartLine, type ChartMark } from './uplot-options.ts';

const MOST_IN_LEGEND = 24;

export interface LineChartProps {
  /** Read to people who do not see the chart. */
  title: string;
  series: ChartSeries[];
  /** time: x in milliseconds since the epoch. */
  xKind?: 'step' | 'time' | 'relative';
  height?: number;
  format?: (value: number) => string;
  /** The shown part of the x axis; null is all. With `onZoom` the chart asks its owner instead of zooming itself. */
  zoom?: Range | null;
  onZoom?: (range: Range | null) => void;
  /** Marked spans of the x axis (alarms). */
  bands?: ChartBand[];
  /** Marked values of the y axis (thresholds). */
  lines?: ChartLine[];
  /** Marked places of the x axis (where a fork begins). */
  marks?: ChartMark[];
  /** Fixed ends of the y axis. */
  yMin?: number;
  yMax?: number;
  log?: boolean;
  legend?: boolean;
  /** Charts with the same key move their cursors together. */
  syncKey?: string;
  /** Ticks at whole numbers only, for counts. */
  integers?: boolean;
}

/** A line chart over uPlot: drag or + and − to zoom, double click or 0 for the whole. */
export function LineChart(props: LineChartProps) {
  const {
    title,
    series,
    xKind = 'step',
    height = 200,
    format = formatNumber,
    zoom = null,
    onZoom,
    bands,
    lines,
    marks,
    yMin,
    yMax,
    log = false,
    legend = series.length > 1,
    syncKey,
    integers = false,
  } = props;
  const scheme = useComputedColorScheme('light');
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useMemo(() => alignSeries(series), [series]);
  const bounds: Range = [data[0][0] ?? 0, data[0][data[0].length - 1] ?? 1];
  const zoomTo = useRef(onZoom);
  useEffect(() => {
    zoomTo.current = onZoom;
  }, [onZoom]);
  const shape = JSON.stringify([
    series.map((s) => [s.key, s.label, s.color, s.dashed, s.faint, s.extendLast, s.pointsOnly, s.low !== undefined]),
    xKind,
    height,
    bands,
    lines,
    marks,
    yMin,
    yMax,
    log,
    scheme,
    syncKey,
    integers,
    zoom,
  ]);

  // `shape` stands for everything that needs a new plot; data is set below.
  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const options = buildOptions({
      series,
      xKind,
      height,
      format,
      zoom,
      bands,
      lines,
      marks,
      yMin,
      yMax,
      log,
      syncKey,
      integers,
      width: element.clientWidth || 400,
      element,
      onSelect: (range) => zoomTo.current?.(range),
    });
    const created = new uPlot(options, data as uPlot.AlignedData, element);
    plot.current = created;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== created.width) created.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = null;
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps, react/exhaustive-effect-dependencies -- `shape` is all of it by value; the objects change with every render.
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data as uPlot.AlignedData, true);
  }, [data]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (onZoom === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = zoom ?? bounds;
    const next = {
      '+': () => zoomRange(now, 0.5, bounds),
      '=': () => zoomRange(now, 0.5, bounds),
      '-': () => zoomRange(now, 2, bounds),
      ArrowLeft: () => panRange(now, -0.25, bounds),
      ArrowRight: () => panRange(now, 0.25, bounds),
      '0': () => null,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onZoom(next());
  };

  return (
    <figure className="bn-chart" aria-label={`${title}. ${describe(series, xKind, format)}`}>
      <div
        ref={host}
        style={{ minHeight: height }}
        {...(onZoom === undefined
          ? {}
          : { tabIndex: 0, onKeyDown, role: 'application', 'aria-label': `${title}: plus and minus zoom, arrows move, 0 shows all` })}
      />
      {(legend || zoom !== null) && (
        <figcaption>
          {legend &&
            series.slice(0, MOST_IN_LEGEND).map((s, i) => (
              <span key={s.key} className="bn-legend">
                <span
                  aria-hidden
                  className="bn-legend-line"
                  style={{
                    borderTopColor: `var(${s.color ?? seriesColor(i)})`,
                    borderTopStyle: s.dashed === true ? 'dashed' : 'solid',
                    opacity: s.faint === true ? 0.65 : 1,
                  }}
                />
                <span className="clip">{s.label}</span>
              </span>
            ))}
          {legend && series.length > MOST_IN_LEGEND && <span className="bn-legend">and {series.length - MOST_IN_LEGEND} more, named under the cursor</span>}
          {zoom !== null && onZoom !== undefined && (
            <Group ml="auto">
              <Tooltip label="Whole range">
                <ActionIcon size="sm" aria-label={`${title}: whole range`} onClick={() => onZoom(null)}>
                  <IconZoomReset size={15} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </Group>
          )}
        </figcaption>
      )}
    </figure>
  );
}

/** The chart in words: how many points, from where to where, first and last value of each line (at most five). */
function describe(series: ChartSeries[], xKind: string, format: (value: number) => string): string {
  const at = (x: number) => (xKind === 'time' ? formatTime(x, false) : formatNumber(x));
  const told = series.slice(0, 5).map((s) => {
    const values = s.y.filter((v): v is number => v !== null && Number.isFinite(v));
    const range = yRange([values]);
    if (range === null) return `${s.label}: no values`;
    return `${s.label}: ${values.length} points from ${at(s.x[0] as number)} to ${at(s.x[s.x.length - 1] as number)}, first ${format(values[0] as number)}, last ${format(values[values.length - 1] as number)}`;
  });
  return `${told.join('. ')}${series.length > 5 ? `. And ${series.length - 5} more lines.` : ''}`;
}
