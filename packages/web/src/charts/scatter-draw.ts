import type { Axis } from './axis.ts';

/** Where a scatter plot puts what, and how it is drawn. */
export interface Frame {
  width: number;
  height: number;
}
export interface Point {
  /** Which run. */
  index: number;
  x: number;
  y: number;
  color: string;
}
const PAD = { left: 72, right: 30, top: 26, bottom: 48 } as const;
const RADIUS = 4;

export const placeX = (at: number, { width }: Frame): number => PAD.left + at * (width - PAD.left - PAD.right);
export const placeY = (at: number, { height }: Frame): number => PAD.top + (1 - at) * (height - PAD.top - PAD.bottom);

/** The points that have a place on both axes. */
export function pointsOf(x: Axis, y: Axis, frame: Frame, colorAt: (index: number) => string): Point[] {
  const points: Point[] = [];
  for (let index = 0; index < x.positions.length; index++) {
    const [px, py] = [x.positions[index], y.positions[index]];
    if (px === null || px === undefined || py === null || py === undefined) continue;
    points.push({ index, x: placeX(px, frame) + spread(x, index, frame.width), y: placeY(py, frame) + spread(y, index, frame.height), color: colorAt(index) });
  }
  return points;
}

/** Points of one word stand beside each other, always in the same places. */
function spread(axis: Axis, index: number, length: number): number {
  if (!axis.words) return 0;
  const most = Math.min(22, length / (4 * Math.max(1, axis.ticks.length)));
  return ((((index + 1) * 0.618_033_988_75) % 1) * 2 - 1) * most;
}

/** The nearest point within 14 pixels. */
export function nearest(points: readonly Point[], x: number, y: number): Point | undefined {
  let best: Point | undefined;
  let least = 14 * 14;
  for (const point of points) {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance <= least) {
      least = distance;
      best = point;
    }
  }
  return best;
}

export function drawPoints(canvas: HTMLCanvasElement, frame: Frame, points: readonly Point[], ticked: ReadonlySet<number>, ink: string): void {
  const context = prepare(canvas, frame);
  if (context === null) return;
  // By colour, so that ten thousand points change it a few times only.
  const byColor = new Map<string, Point[]>();
  for (const point of points) {
    const same = byColor.get(point.color);
    if (same === undefined) byColor.set(point.color, [point]);
    else same.push(point);
  }
  context.globalAlpha = points.length > 2000 ? 0.55 : 0.8;
  const radius = points.length > 2000 ? 3 : RADIUS;
  for (const [color, same] of byColor) {
    context.fillStyle = color;
    context.beginPath();
    for (const { x, y } of same) {
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.fill();
  }
  context.globalAlpha = 1;
  context.strokeStyle = ink;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const { index, x, y } of points) {
    if (!ticked.has(index)) continue;
    context.moveTo(x + RADIUS + 1.5, y);
    context.arc(x, y, RADIUS + 1.5, 0, 2 * Math.PI);
  }
  context.stroke();
}

function prepare(canvas: HTMLCanvasElement, { width, height }: Frame): CanvasRenderingContext2D | null {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** From blue over grey-green to yellow-orange: told apart in grey, too, on light and dark. */
const RAMP = [
  [38, 84, 160],
  [40, 150, 160],
  [120, 175, 90],
  [225, 165, 40],
] as const;
/** The colour of a position from 0 to 1, in 32 steps. */
export function rampColor(at: number): string {
  const step = (Math.round(at * 31) / 31) * (RAMP.length - 1);
  const low = Math.min(RAMP.length - 2, Math.floor(step));
  const part = step - low;
  const [from, to] = [RAMP[low] as readonly number[], RAMP[low + 1] as readonly number[]];
  return `rgb(${from.map((v, i) => Math.round(v + ((to[i] as number) - v) * part)).join(' ')})`;
}
