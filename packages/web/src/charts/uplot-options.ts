import type uPlot from 'uplot';
import { formatNumber, formatTime, formatUtc } from '../ui/format.ts';
import { type ChartSeries, type Range, seriesColor, timeTicks, yRange } from './series.ts';

export interface ChartBand {
  from: number;
  to: number;
  label: string;
  color?: string;
}
export interface ChartLine {
  value: number;
  label: string;
  color?: string;
}
/** A marked place of the x axis. */
export interface ChartMark {
  x: number;
  label: string;
}
interface Input {
  series: ChartSeries[];
  xKind: 'step' | 'time' | 'relative';
  width: number;
  height: number;
  format: (value: number) => string;
  zoom: Range | null;
  bands: ChartBand[] | undefined;
  lines: ChartLine[] | undefined;
  marks: ChartMark[] | undefined;
  yMin: number | undefined;
  yMax: number | undefined;
  log: boolean;
  syncKey: string | undefined;
  /** Ticks of the y axis at whole numbers only. */
  integers: boolean;
  element: HTMLElement;
  onSelect: (range: Range | null) => void;
}

/** uPlot's options for our charts: colours from the page's custom properties, bands, marks and a tooltip of our own. */
export function buildOptions(input: Input): uPlot.Options {
  const { series, xKind, zoom, format } = input;
  const style = getComputedStyle(input.element);
  const css = (name: string): string => style.getPropertyValue(name).trim() || '#888888';
  const muted = css('--bn-muted');
  const font = `11px ${style.fontFamily}`;
  const colors = series.map((s, i) => css(s.color ?? seriesColor(i)));
  const defs: uPlot.Series[] = [{}];
  const uBands: uPlot.Band[] = [];
  const valueColumns: number[] = [];
  series.forEach((s, i) => {
    const color = colors[i] as string;
    valueColumns.push(defs.length);
    const single = s.x.length === 1;
    defs.push({
      label: s.label,
      stroke: color,
      width: s.pointsOnly === true ? 0 : 1.6,
      ...(s.dashed === true ? { dash: [5, 4] } : {}),
      ...(s.faint === true ? { alpha: 0.65 } : {}),
      spanGaps: false,
      points: s.pointsOnly === true || single ? { show: true, size: 6, fill: color } : { size: 5, fill: color },
    });
    if (s.low !== undefined && s.high !== undefined) {
      const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } };
      defs.push({ ...edge }, { ...edge });
      uBands.push({ series: [defs.length - 1, defs.length - 2], fill: withAlpha(color, 0.2) });
    }
  });
  const grid = { stroke: css('--bn-grid'), width: 1 };
  const axis = { stroke: muted, font, grid, ticks: { ...grid, size: 4 } };
  return {
    width: input.width,
    height: input.height,
    ms: 1,
    legend: { show: false },
    padding: [10, 12, 0, 0],
    cursor: {
      drag: { x: true, y: false, setScale: false },
      focus: { prox: 24 },
      ...(input.syncKey === undefined ? {} : { sync: { key: input.syncKey, setSeries: false } }),
    },
    focus: { alpha: 1 },
    scales: {
      x: { time: xKind === 'time', ...(zoom === null ? {} : { range: () => zoom }), ...(zoom === null && singlePoint(series) ? { range: padOne } : {}) },
      y: {
        distr: input.log ? 3 : 1,
        ...(input.log
          ? {}
          : {
              range: (u: uPlot): Range => {
                const found = yRange(u.data.slice(1).map((column) => within(column as (number | null | undefined)[], u.data[0] as number[], zoom)));
                const marks = (input.lines ?? []).map((line) => line.value);
                const low = Math.min(found?.[0] ?? 0, ...marks);
                const high = Math.max(found?.[1] ?? 1, ...marks.map((value) => value * 1.04));
                return [input.yMin ?? low, Math.max(input.yMax ?? high, (input.yMin ?? low) + 1e-12)];
              },
            }),
      },
    },
    axes: [
      {
        ...axis,
        size: xKind === 'time' ? 40 : 30,
        space: xKind === 'time' ? 76 : 60,
        values: (_u: uPlot, ticks: number[], _axis: number, _space: number, step: number) =>
          xKind === 'time' ? timeTicks(ticks, step) : ticks.map((v) => formatNumber(v)),
      },
      {
        ...axis,
        size: (_u: uPlot, labels: string[] | null) => 14 + Math.max(4, ...(labels ?? []).map((l) => (l ?? '').length)) * 6.4,
        values: (_u: uPlot, ticks: number[]) => ticks.map((v) => (v === null ? '' : format(v))),
        ...(input.integers ? { incrs: INTEGER_STEPS } : {}),
      },
    ],
    series: defs,
    bands: uBands,
    hooks: {
      drawClear: [(u) => drawBands(u, input.bands ?? [], css)],
      draw: [(u) => drawMarks(u, input, valueColumns, colors, css, font)],
      setSelect: [
        (u) => {
          if (u.select.width < 6) return;
          const range: Range = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          input.onSelect(range);
        },
      ],
      ready: [(u) => u.over.addEventListener('dblclick', () => input.onSelect(null))],
    },
    plugins: [tooltip(input, valueColumns, colors)],
  };
}

const INTEGER_STEPS = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();
const singlePoint = (series: ChartSeries[]): boolean => series.every((s) => s.x.length <= 1);
const padOne = (_u: uPlot, low: number, high: number): Range => (low === high ? [low - 1, high + 1] : [low, high]);
const within = (column: (number | null | undefined)[], x: number[], zoom: Range | null) =>
  zoom === null ? column : column.filter((_, i) => (x[i] as number) >= zoom[0] && (x[i] as number) <= zoom[1]);

function withAlpha(color: string, alpha: number): string {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (hex === undefined) return color;
  const n = Number.parseInt(hex, 16);
  return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`;
}

function drawBands(u: uPlot, bands: ChartBand[], css: (name: string) => string): void {
  const { ctx, bbox } = u;
  for (const band of bands) {
    const left = Math.max(bbox.left, u.valToPos(band.from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, u.valToPos(band.to, 'x', true));
    if (right <= left) continue;
    ctx.fillStyle = css(band.color ?? '--bn-alarm');
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
}

function drawMarks(u: uPlot, input: Input, columns: number[], colors: string[], css: (name: string) => string, font: string): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio || 1;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = ratio;
  input.series.forEach((s, i) => {
    if (s.extendLast !== true) return;
    const column = u.data[columns[i] as number] as (number | null | undefined)[];
    let last = column.length - 1;
    while (last >= 0 && (column[last] === null || column[last] === undefined)) last -= 1;
    if (last < 0) return;
    const y = u.valToPos(column[last] as number, 'y', true);
    const single = column.every((value, at) => at === last || value === null || value === undefined);
    const from = single ? bbox.left : u.valToPos(u.data[0][last] as number, 'x', true);
    ctx.strokeStyle = colors[i] as string;
    ctx.globalAlpha = 0.65;
    ctx.setLineDash([3 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(from, y);
    ctx.lineTo(right, y);
    ctx.stroke();
  });
  ctx.globalAlpha = 1;
  ctx.font = font.replace('11px', `${10.5 * ratio}px`);
  ctx.textAlign = 'right';
  for (const line of input.lines ?? []) {
    const y = u.valToPos(line.value, 'y', true);
    ctx.strokeStyle = ctx.fillStyle = css(line.color ?? '--bn-warn');
    ctx.setLineDash([6 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(right, y);
    ctx.stroke();
    ctx.fillText(line.label, right - 4 * ratio, y - 4 * ratio);
  }
  ctx.textAlign = 'left';
  for (const mark of input.marks ?? []) {
    const x = u.valToPos(mark.x, 'x', true);
    if (x < bbox.left || x > right) continue;
    ctx.strokeStyle = ctx.fillStyle = css('--bn-muted');
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const width = ctx.measureText(mark.label).width + 8 * ratio;
    const from = x + width > right ? x - width : x;
    // A ground of its own, or a series that passes there would strike it through.
    ctx.fillStyle = css('--mantine-color-body');
    ctx.fillRect(from + 2 * ratio, bbox.top, width - 4 * ratio, 15 * ratio);
    ctx.fillStyle = css('--bn-muted');
    ctx.fillText(mark.label, from + 4 * ratio, bbox.top + 11 * ratio);
  }
  ctx.restore();
}

/** The values under the cursor, those nearest to it first; at most 14 lines. */
function tooltip(input: Input, columns: number[], colors: string[]): uPlot.Plugin {
  const box = document.createElement('div');
  box.className = 'bn-tip';
  box.setAttribute('aria-hidden', 'true');
  box.hidden = true;
  return {
    hooks: {
      ready: (u) => u.over.append(box),
      setCursor: (u) => {
        const { idx, left, top } = u.cursor;
        if (idx === null || idx === undefined || left === undefined || left < 0 || top === undefined) {
          box.hidden = true;
          return;
        }
        const x = u.data[0][idx] as number;
        const rows = columns
          .map((column, i) => ({ i, value: nearest(u.data[column] as (number | null | undefined)[], idx) }))
          .filter((row) => row.value !== null);
        if (rows.length === 0) {
          box.hidden = true;
          return;
        }
        const at = u.posToVal(top, 'y');
        if (rows.length > 8) rows.sort((a, b) => Math.abs((a.value as number) - at) - Math.abs((b.value as number) - at));
        box.hidden = false;
        box.replaceChildren(
          div(
            'bn-tip-x',
            input.xKind === 'time'
              ? `${formatTime(x)} · ${formatUtc(x).slice(0, 16)} UTC`
              : `${input.xKind === 'step' ? 'step ' : ''}${formatNumber(x)}${input.xKind === 'relative' ? ' s' : ''}`,
          ),
          ...rows.slice(0, 14).map(({ i, value }) => {
            const s = input.series[i] as ChartSeries;
            const row = div('bn-tip-row', '');
            const swatch = div('bn-dot', '');
            swatch.style.background = colors[i] as string;
            // From the plot's own data, which is fresher than the series it was built from.
            const edge = (offset: number) => (s.low === undefined ? undefined : u.data[(columns[i] as number) + offset]?.[idx]);
            const low = edge(1);
            const high = edge(2);
            const spread =
              low !== null && low !== undefined && high !== null && high !== undefined && low !== high
                ? `  [${input.format(low)} … ${input.format(high)}]`
                : '';
            row.append(swatch, div('clip', s.label), div('bn-tip-value', `${input.format(value as number)}${spread}`));
            return row;
          }),
        );
        const band = input.bands?.find((b) => x >= b.from && x < b.to);
        if (band !== undefined) box.append(div('bn-tip-note', band.label));
        const room = u.over.clientWidth;
        box.style.left = left > room / 2 ? '' : `${left + 14}px`;
        box.style.right = left > room / 2 ? `${room - left + 14}px` : '';
        box.style.top = `${Math.min(top, Math.max(0, u.over.clientHeight - 30))}px`;
      },
    },
  };
}

/** The value at idx, or the nearest before or behind it within a few points (series of other runs fall between). */
function nearest(column: (number | null | undefined)[], idx: number): number | null {
  for (let d = 0; d < 6; d += 1) for (const i of [idx - d, idx + d]) if (column[i] !== undefined) return column[i] as number | null;
  return null;
}

function div(className: string, text: string): HTMLDivElement {
  const element = document.createElement('div');
  element.className = className;
  element.textContent = text;
  return element;
}
