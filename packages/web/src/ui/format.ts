/** Formats for people. Pure; everything here is tested in format.test.ts. */

type Loose = number | string | null | undefined;

/** NaN and infinities arrive as strings; null and undefined become NaN. */
export const toNumber = (value: Loose): number => {
  if (typeof value === 'number') return value;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return Number.NaN;
};

const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
/** 3000000 → "3,000,000". */
export const formatInt = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : integers.format(value);

/** 1234567 → "1.23M", for counts in tight places. */
export function formatCompact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  for (const [limit, unit] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e4, 'k'],
  ] as const) {
    if (size >= limit) {
      const scaled = value / (unit === 'k' ? 1e3 : limit);
      return `${trimZeros(scaled.toFixed(Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2))}${unit}`;
    }
  }
  return integers.format(value);
}

const trimZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

/** A metric value with `digits` significant digits: 0.67312, 1,234.5, 1.2e-7, NaN. */
export function formatNumber(value: Loose, digits = 5): string {
  if (value === null || value === undefined) return '–';
  const number = toNumber(value);
  if (Number.isNaN(number)) return typeof value === 'string' && value !== 'NaN' ? value : 'NaN';
  if (number === Number.POSITIVE_INFINITY) return '∞';
  if (number === Number.NEGATIVE_INFINITY) return '−∞';
  if (number === 0) return '0';
  const size = Math.abs(number);
  if (size < 1e-4 || size >= 1e15) return trimExponent(number.toExponential(Math.max(0, digits - 2)));
  if (Number.isInteger(number)) return integers.format(number);
  if (size >= 10 ** digits) return integers.format(number);
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: Math.min(decimals, 12) }).format(number);
}
const trimExponent = (text: string): string => text.replace(/\.?0+e/, 'e').replace('e+', 'e');

/** 0.0312 → "3.12%". */
export function formatPercent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  if (share !== 0 && Math.abs(share) < 10 ** -(digits + 2)) return `<${trimZeros((10 ** -digits).toFixed(digits))}%`;
  return `${trimZeros((share * 100).toFixed(digits))}%`;
}

/** Bytes in the decimal units that disks are sold in: 1.2 MB. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return '–';
  if (Math.abs(bytes) < 1000) return `${bytes} B`;
  let scaled = bytes;
  let unit = 'B';
  for (const next of ['kB', 'MB', 'GB', 'TB', 'PB']) {
    if (Math.abs(scaled) < 999.5) break;
    scaled /= 1000;
    unit = next;
  }
  return `${trimZeros(scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0))} ${unit}`;
}

/** A duration in milliseconds: "0.43 ms", "12.4 ms", "3.2 s", "2 min 5 s", "3 h 12 min", "4 d 2 h". */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms === 0) return '0 s';
  if (ms < 1) return ms < 0.001 ? '<1 µs' : ms < 0.1 ? `${trimZeros((ms * 1000).toFixed(ms < 0.01 ? 1 : 0))} µs` : `${trimZeros(ms.toFixed(2))} ms`;
  if (ms < 999.5) return `${trimZeros(ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0))} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${trimZeros(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(seconds / 3600);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}
const pair = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;

const two = (value: number): string => String(value).padStart(2, '0');
/** Local time, sortable by eye: "2001-05-14 09:31:05". */
export function formatTime(ms: number | null | undefined, seconds = true): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ''}`;
}
/** The same instant in UTC, for tooltips: "2001-05-14 07:31:05.120 UTC". */
export const formatUtc = (ms: number): string => `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
/** A day in UTC, as drift windows are cut: "14 May 2001". */
export const formatUtcDay = (ms: number, year = true): string =>
  new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...(year ? { year: 'numeric' } : {}), timeZone: 'UTC' });

/** "just now", "3 min ago", "2 h ago", "5 d ago"; an older or future instant as its date. */
export function formatAgo(ms: number | null | undefined, now = Date.now()): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const age = now - ms;
  if (age < -60_000) return formatTime(ms, false);
  if (age < 10_000) return 'just now';
  if (age < 60_000) return `${Math.floor(age / 1000)} s ago`;
  if (age < 3_600_000) return `${Math.floor(age / 60_000)} min ago`;
  if (age < 86_400_000) return `${Math.floor(age / 3_600_000)} h ago`;
  if (age < 14 * 86_400_000) return `${Math.floor(age / 86_400_000)} d ago`;
  return formatTime(ms, false).slice(0, 10);
}

/** "1 run", "2 runs", "3,000 runs". */
export const plural = (count: number, one: string, many = `${one}s`): string => `${formatInt(count)} ${count === 1 ? one : many}`;
