import { hash32 } from '../profile/index.ts';

export interface NoiseFloor {
  /** Mean JS *divergence* (the squared distance) between two samples of the baseline, of the baseline's and the window's size. */
  meanDivergence: number;
  /** 99 % point of the JS distance of a window without drift. */
  distance: number;
}

const DRAWS = 200;
/** Expected rows a bin on the smaller side above which the χ² result holds. */
const WELL_FILLED = 10;
const NONE: NoiseFloor = { meanDivergence: 0, distance: 0 };
/** Shape of the gamma distribution below which Wilson-Hilferty fails. */
const SKEWED = 0.05;
const Z99 = 2.3263478740408408;
const cache = new Map<string, NoiseFloor>();

/**
 * How far apart two samples of the same distribution are by chance alone. The divergence is a sum over bins. Well-filled bins follow the
 * known result: divergence · 8 ln 2 / (1/n + 1/m) ~ χ²(bins − 1). Rare ones, where it fails, are drawn again on both sides from the
 * baseline's shares (Poisson counts, seeded). What the baseline missed altogether has about the share of the values that it saw
 * once (Good-Turing) and sits in a bin that is empty there. The 99 % point is a gamma distribution's with the mean and variance of
 * the sum (Wilson-Hilferty). Computed at powers of two of the window's size and interpolated between (both curves are smooth in log n),
 * so a report over many windows costs a few simulations; results are kept.
 */
export function noiseFloor(baseline: ArrayLike<number>, windowRows: number): NoiseFloor {
  if (windowRows < 1) return NONE;
  const seed = hash32(Array.prototype.join.call(baseline, ' '));
  const step = Math.log2(Math.max(1, windowRows));
  const [low, high] = [Math.floor(step), Math.ceil(step)].map((power) => simulated(baseline, seed, 2 ** power)) as [NoiseFloor, NoiseFloor];
  const between = (a: number, b: number): number =>
    a <= 0 || b <= 0 ? Math.max(a, b) : Math.exp(Math.log(a) + (Math.log(b) - Math.log(a)) * (step - Math.floor(step)));
  return { meanDivergence: between(low.meanDivergence, high.meanDivergence), distance: between(low.distance, high.distance) };
}

function simulated(baseline: ArrayLike<number>, seed: number, n: number): NoiseFloor {
  const key = `${seed} ${baseline.length} ${n}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const floor = simulate(baseline, n);
  if (cache.size >= 5000) cache.clear();
  cache.set(key, floor);
  return floor;
}

function simulate(baseline: ArrayLike<number>, n: number): NoiseFloor {
  const filled = Array.from(baseline).filter((count) => count > 0);
  const m = filled.reduce((sum, count) => sum + count, 0);
  if (filled.length < 2) return NONE;
  const rare = filled.filter((count) => Math.min(count, (count * n) / m) < WELL_FILLED);
  const unit = (1 / n + 1 / m) / (8 * Math.LN2);
  const freedom = Math.max(0, filled.length - rare.length - (rare.length < filled.length ? 1 : 0));
  const sampled = rare.length === 0 ? { mean: 0, variance: 0 } : drawRare(rare, m, n);
  const mean = freedom * unit + sampled.mean;
  const variance = 2 * freedom * unit * unit + sampled.variance;
  if (mean === 0 || variance === 0) return { meanDivergence: mean, distance: Math.sqrt(mean) };
  const a = (mean * mean) / variance;
  // Nearly all rows in one bin: the sum is almost always next to nothing, and the cube has no meaning. Cantelli's bound holds for anything.
  const point = a < SKEWED ? mean + Math.sqrt(99 * variance) : mean * (1 - 1 / (9 * a) + Z99 / (3 * Math.sqrt(a))) ** 3;
  return { meanDivergence: mean, distance: Math.min(1, Math.sqrt(point)) };
}

/** Bins with the same count behave alike, so each count is drawn once and taken as often as it occurs. */
function drawRare(rare: number[], m: number, n: number): { mean: number; variance: number } {
  const random = generator(hash32(`${rare.length} ${m} ${n}`));
  const times = new Map<number, number>();
  for (const count of rare) times.set(count, (times.get(count) ?? 0) + 1);
  const unseen = (times.get(1) ?? 0) / m;
  // A bin that is empty in the baseline adds half of its share here; Poisson, so its variance is its mean.
  const total = { mean: unseen / 2, variance: unseen / n / 4 };
  for (const [count, bins] of times) {
    let [sum, squares] = [0, 0];
    for (let draw = 0; draw < DRAWS; draw++) {
      const part = contribution(poisson(count, random) / m, poisson((count * n) / m, random) / n);
      sum += part;
      squares += part * part;
    }
    const mean = sum / DRAWS;
    total.mean += bins * mean;
    total.variance += bins * Math.max(0, squares / DRAWS - mean * mean);
  }
  return total;
}

/** One bin's part of the JS divergence; never negative. */
function contribution(p: number, q: number): number {
  const middle = (p + q) / 2;
  return ((p > 0 ? p * Math.log2(p / middle) : 0) + (q > 0 ? q * Math.log2(q / middle) : 0)) / 2;
}

/** xorshift32: the same numbers for the same question, in every process. */
function generator(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

function poisson(lambda: number, random: () => number): number {
  if (lambda > 30) {
    const normal = Math.sqrt(-2 * Math.log(random() || 1e-12)) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(lambda + Math.sqrt(lambda) * normal));
  }
  const limit = Math.exp(-lambda);
  let product = random();
  let count = 0;
  while (product > limit) {
    product *= random();
    count++;
  }
  return count;
}

/** 99 % point of the two-sample KS statistic (asymptotic; lower on discrete data, so never too low). */
export const ksFloor = (m: number, n: number): number => 1.6276 * Math.sqrt(1 / m + 1 / n);
/** About the 99 % point of W1 in standard deviations, from samples of bell-shaped columns; it only holds back a warning. */
export const w1nFloor = (m: number, n: number): number => 2.4 * Math.sqrt(1 / m + 1 / n);
/** Mean PSI without drift plus three of its standard deviations, for k bins. */
export const psiFloor = (k: number, m: number, n: number): number => (k - 1 + 3 * Math.sqrt(2 * Math.max(0, k - 1))) * (1 / m + 1 / n);
