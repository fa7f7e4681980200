/** Counts of values between edges: bin i holds `edges[i] ≤ value < edges[i + 1]`, the last one its upper edge too. */
export interface Histogram {
  /** n + 1 numbers, ascending. */
  edges: number[];
  /** n numbers. */
  counts: number[];
}

/**
 * Bins values into equal widths, as numpy.histogram does.
 * @param values Numbers; those that are not finite are left out.
 * @param options `bins`: how many, 64 by default. `range`: first and last edge; by default least and greatest value; what lies outside is left out.
 * @example run.histograms({ 'layer1/weights': histogram(weights, { bins: 30 }) }, step);
 */
export function histogram(values: ArrayLike<number>, options: { bins?: number; range?: [number, number] } = {}): Histogram {
  const bins = Math.max(1, Math.floor(options.bins ?? 64));
  let [low, high] = options.range ?? extent(values);
  // One value alone, or none: a bin must have a width.
  if (!(high > low)) [low, high] = widened(low);
  const width = (high - low) / bins;
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + i * width));
  const counts = Array.from({ length: bins }, () => 0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(value >= low && value <= high)) continue;
    let bin = Math.min(bins - 1, Math.floor((value - low) / width));
    // The division may round across an edge.
    while (bin > 0 && value < (edges[bin] as number)) bin--;
    while (bin < bins - 1 && value >= (edges[bin + 1] as number)) bin++;
    counts[bin] = (counts[bin] as number) + 1;
  }
  return { edges, counts };
}

function extent(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** Half to either side, or what is left of the precision of a large number. */
function widened(value: number): [number, number] {
  const half = Math.max(0.5, Math.abs(value) * 1e-6);
  return [value - half, value + half];
}
