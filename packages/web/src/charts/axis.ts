/** An axis of values of any kind. Pure; tested in axis.test.ts. */
export interface Axis {
  id: string;
  label: string;
  /** Position of each run from 0 (bottom) to 1; null where it has no value. */
  positions: (number | null)[];
  ticks: { at: number; label: string }[];
  /** The values are texts, one place each. */
  words: boolean;
}
export type AxisValue = string | number | null | undefined;

const MOST_WORDS = 30;
const ORDER = new Intl.Collator('en', { numeric: true });

/** A number where the text is one; NaN else. NaN and infinities have no place. */
function numberOf(value: AxisValue): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return value;
  return value.trim() === '' ? Number.NaN : Number(value);
}

/** A numeric axis where every value is a number, else one place for each text, by name; `log`: of the positive values. */
export function axisOf(id: string, label: string, values: readonly AxisValue[], format: (value: number) => string, log = false): Axis {
  const numbers = values.map(numberOf);
  const numeric = values.every((value, i) => value === null || value === undefined || value === 'NaN' || !Number.isNaN(numbers[i]));
  const scaled = numbers.map((v) => (v === null || !Number.isFinite(v) || (log && v <= 0) ? null : log ? Math.log10(v) : v));
  if (numeric && scaled.some((v) => v !== null)) return { id, label, words: false, ...linear(scaled, (v) => format(log ? 10 ** v : v), log) };
  return wordAxis(id, label, numeric ? [] : values);
}

function linear(values: readonly (number | null)[], format: (value: number) => string, log: boolean): Pick<Axis, 'positions' | 'ticks'> {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (v === null) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  // Halves, since the distance of two doubles may be none.
  const span = high / 2 - low / 2;
  const place = (v: number) => (span === 0 ? 0.5 : (v / 2 - low / 2) / span);
  const decades = log ? Array.from({ length: Math.max(0, Math.floor(high) - Math.ceil(low) + 1) }, (_, i) => Math.ceil(low) + i) : [];
  const every = Math.ceil(decades.length / 8);
  const ticks =
    span === 0
      ? [{ at: 0.5, label: format(low) }]
      : decades.length > 1
        ? decades.filter((_, i) => i % every === 0).map((v) => ({ at: place(v), label: format(v) }))
        : ((log ? undefined : roundTicks(low, high)) ?? [0, 0.25, 0.5, 0.75, 1].map((at) => low + at * 2 * span)).map((v) => ({
            at: place(v),
            label: format(v),
          }));
  return { positions: values.map((v) => (v === null ? null : place(v))), ticks };
}

/** Multiples of 1, 2 or 5 times a power of ten, about five of them; undefined where doubles are too coarse for them. */
function roundTicks(low: number, high: number): number[] | undefined {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.99) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  if (!(count >= 3 && count <= 12) || Math.abs(first) > 1e9) return undefined;
  return Array.from({ length: count }, (_, i) => Math.min(high, Math.max(low, Number(((first + i) * step).toPrecision(12)))));
}

function wordAxis(id: string, label: string, values: readonly AxisValue[]): Axis {
  const found = new Set(values.flatMap((value) => (value === null || value === undefined ? [] : [String(value)])));
  const places = new Map([...found].sort(ORDER.compare).map((word, i) => [word, i]));
  const place = (word: string) => (places.size === 1 ? 0.5 : (places.get(word) as number) / (places.size - 1));
  const words = [...places.keys()];
  const every = Math.ceil(words.length / MOST_WORDS);
  return {
    id,
    label,
    words: true,
    positions: values.map((value) => (value === null || value === undefined ? null : place(String(value)))),
    ticks: words.filter((_, i) => i % every === 0).map((word) => ({ at: place(word), label: word })),
  };
}
