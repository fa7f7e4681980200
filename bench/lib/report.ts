import { existsSync, readFileSync } from 'node:fs';
import type { Environment } from './environment.ts';
import { figure } from './stats.ts';
import type { Aim, Benchmark, Report, Table } from './types.ts';

export const hit = (aim: Aim): boolean => (aim.better === 'higher' ? aim.measured >= aim.bound : aim.measured <= aim.bound);
const withUnit = (value: number, unit: string): string => `${figure(value)}${unit === '×' ? '×' : ` ${unit}`}`;

export function markdownTable({ caption, header, rows }: Table): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [...(caption === undefined ? [] : [caption, '']), line(header), line(header.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

const aimRows = (aims: readonly Aim[]): (string | number)[][] =>
  aims.map((aim) => [
    aim.what,
    `${aim.better === 'higher' ? '≥' : '≤'} ${withUnit(aim.bound, aim.unit)}`,
    withUnit(aim.measured, aim.unit),
    hit(aim) ? 'hit' : '**missed**',
  ]);

/** One benchmark's section, whole: also what to know of the machine in that hour, since sections can be of different runs. */
function section(benchmark: Benchmark, report: Report, environment: Environment, seconds: number): string {
  return [
    `## ${benchmark.title}`,
    '',
    report.about,
    '',
    ...report.settings.map((text) => `- ${text}`),
    '',
    ...report.tables.flatMap((table) => [markdownTable(table), '']),
    markdownTable({ header: ['Aim', 'Bound', 'Measured', ''], rows: aimRows(report.aims) }),
    '',
    ...(report.notes ?? []).flatMap((text) => [text, '']),
    `\`npm run bench -- ${benchmark.name}\`, ${environment.date}, commit ${environment.commit}, load before ${environment.load.split(' ')[0]}, took ${Math.round(seconds)} s.`,
  ].join('\n');
}

const mark = (name: string): [string, string] => [`<!-- ${name} -->`, `<!-- /${name} -->`];

function kept(text: string, name: string): string | undefined {
  const [open, close] = mark(name);
  const from = text.indexOf(open);
  const to = text.indexOf(close);
  return from === -1 || to === -1 ? undefined : text.slice(from, to + close.length);
}

export interface Finished {
  benchmark: Benchmark;
  report: Report;
  environment: Environment;
  seconds: number;
}

/** RESULTS.md with the sections of this run; those of benchmarks that did not run stay as they were. */
export function writeResults(file: string, benchmarks: readonly Benchmark[], finished: readonly Finished[], environment: Environment, quick: boolean): string {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const sections = benchmarks.flatMap((benchmark) => {
    const done = finished.find((f) => f.benchmark === benchmark);
    if (done === undefined) return kept(before, benchmark.name) ?? [];
    const [open, close] = mark(benchmark.name);
    return [`${open}\n${section(benchmark, done.report, done.environment, done.seconds)}\n${close}`];
  });
  return [
    '# Benchmarks',
    '',
    ...(quick ? ['**Quick run: small sizes, to see that everything works. These figures mean nothing.**', ''] : []),
    'Binnacle against what a user would pick instead: same machine, same run, so the ratios are what counts. Written by `npm run bench`; how to read it: [docs/benchmarks.md](../docs/benchmarks.md).',
    '',
    `- Machine: ${environment.machine}; ${environment.system}.`,
    `- Cores: ${environment.pinning}.`,
    `- Versions: ${Object.entries(environment.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    ...sections.flatMap((text) => [text, '']),
  ].join('\n');
}
