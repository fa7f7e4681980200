/** Turns shares on unequal bins into what a histogram shows; tested in rebin.test.ts. */
export interface Histogram {
  /** Edges of `inner`, equal widths. */
  edges: number[];
  inner: number[];
  under: number;
  over: number;
}

/**
 * `shares` lies on edges.length + 1 bins: under the first edge, between edges, above the last. The inner ones are
 * spread over `count` equal bins in proportion to the overlap; bins of no width (repeated edges) go where they lie.
 */
export function rebin(edges: number[], shares: number[], count: number): Histogram {
  const low = edges[0] ?? 0;
  const high = edges[edges.length - 1] ?? 1;
  const span = high - low || 1;
  const width = span / count;
  const inner = Array.from({ length: count }, () => 0);
  const put = (bin: number, share: number) => {
    const at = Math.max(0, Math.min(count - 1, bin));
    inner[at] = (inner[at] as number) + share;
  };
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const from = edges[i] as number;
    const to = edges[i + 1] as number;
    const share = shares[i + 1] ?? 0;
    if (share === 0) continue;
    if (to <= from) {
      put(Math.floor((from - low) / width), share);
      continue;
    }
    const first = Math.floor((from - low) / width);
    const last = Math.min(count - 1, Math.ceil((to - low) / width) - 1);
    for (let bin = first; bin <= last; bin += 1) {
      const overlap = Math.min(to, low + (bin + 1) * width) - Math.max(from, low + bin * width);
      if (overlap > 0) put(bin, (share * overlap) / (to - from));
    }
  }
  return { edges: Array.from({ length: count + 1 }, (_, i) => low + i * width), inner, under: shares[0] ?? 0, over: shares[edges.length] ?? 0 };
}
