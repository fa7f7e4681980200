import { BinnacleApiError } from '@binnacle/sdk';
import { BinnacleError, looseNumbers } from '../kernel/index.ts';

/** Exit codes of every command: 0 done, 1 failed, 2 used wrongly. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

const colour = (code: number) => (text: string) =>
  process.env.NO_COLOR === undefined && process.stderr.isTTY && process.stdout.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text;
export const bold = colour(1);
export const dim = colour(2);
export const red = colour(31);
export const green = colour(32);
export const yellow = colour(33);

/** Data goes to stdout, everything said to a person to stderr. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`);
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, looseNumbers, 2));

export interface TableColumn<T> {
  title: string;
  value: (row: T) => string | number | null | undefined;
  align?: 'left' | 'right';
}

/** A plain table, columns padded to their widest cell; numbers to the right. */
export function formatTable<T>(rows: T[], columns: TableColumn<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => String(column.value(row) ?? '')));
  const widths = columns.map((column, i) => Math.max(column.title.length, ...cells.map((line) => line[i]?.length ?? 0)));
  const line = (texts: string[]) =>
    texts
      .map((text, i) => (columns[i]?.align === 'right' ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [bold(line(columns.map((column) => column.title))), ...cells.map(line)].join('\n');
}

export const ago = (time: number | null, now = Date.now()): string => {
  if (time === null) return '';
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86400 * 2) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} d ago`;
};

export const count = (value: number): string => value.toLocaleString('en-US');

/** The message of an error, without a stack unless BINNACLE_DEBUG asks for it. */
export function describeError(error: unknown): string {
  if (process.env.BINNACLE_DEBUG !== undefined && error instanceof Error) return error.stack ?? error.message;
  if (error instanceof BinnacleApiError) return error.detail;
  if (error instanceof BinnacleError || error instanceof Error) return error.message;
  return String(error);
}

/** A bar that redraws itself on a terminal, and says a line every so often elsewhere. */
export function progressBar(label: string): { update(done: number, total: number | null, note?: string): void; end(note?: string): void } {
  const live = process.stderr.isTTY && process.env.CI === undefined;
  let said = 0;
  const render = (done: number, total: number | null, note: string) => {
    const share = total === null || total === 0 ? null : Math.min(1, done / total);
    const width = 24;
    const bar = share === null ? ''.padEnd(width) : '█'.repeat(Math.round(share * width)).padEnd(width, '░');
    return `${label.padEnd(28)} ${bar} ${share === null ? count(done) : `${Math.round(share * 100)} %`.padStart(5)}  ${note}`;
  };
  return {
    update(done, total, note = '') {
      const now = Date.now();
      if (live) {
        if (now - said < 80) return;
        said = now;
        process.stderr.write(`\r\u001b[2K${render(done, total, note)}`);
      } else if (now - said > 10_000) {
        if (said !== 0) say(render(done, total, note).trimEnd());
        said = now;
      }
    },
    end(note = '') {
      if (live) process.stderr.write('\r\u001b[2K');
      say(`${green('✓')} ${label.padEnd(28)} ${note}`);
    },
  };
}
