import { bold, count, dim, formatTable, green, red, type TableColumn, yellow } from '../output.ts';
import type { Kept } from './promises.ts';
import type { DemoSummary, QualityFigures, WeekFigures } from './figures.ts';
import { wrap } from './wrap.ts';

/** The summary for a terminal of 100 columns. `promises` null: the demo has not got to its end. */
export function formatSummary(summary: DemoSummary, promises: Kept[] | null): string {
  const { runs, live, quality, url, dataDir } = summary;
  const broken = (promises ?? []).filter((promise) => !promise.kept);
  const majority = quality?.validation ?? null;
  return [
    '',
    bold('Training runs, January to March 2001 (recorded, replayed as the mlflow client logged them)'),
    table(
      [...runs, { name: 'no model: always the training share', auc: 0.5, brier: majority?.majorityBrier ?? null }],
      [
        { title: 'run', value: (run) => run.name },
        { title: 'ROC AUC', align: 'right', value: (run) => figure(run.auc, 4) },
        { title: 'Brier', align: 'right', value: (run) => figure(run.brier, 4) },
      ],
    ),
    '',
    bold('Versions of flight-delays, and what the gates said'),
    ...gateLines(summary),
    '',
    ...workLines(summary),
    '',
    bold('Quality'),
    quality === null
      ? '  no ground truth yet'
      : table(qualityRows(summary, quality), [
          { title: '', value: (row) => row.name },
          { title: 'flights', align: 'right', value: (row) => (row.rows === null ? '' : count(row.rows)) },
          { title: 'ROC AUC', align: 'right', value: (row) => figure(row.auc, 4) },
          { title: 'Brier', align: 'right', value: (row) => figure(row.brier, 4) },
          { title: 'accuracy', align: 'right', value: (row) => figure(row.accuracy, 4) },
        ]),
    '',
    bold('Live by week: drift is the Jensen-Shannon distance to the training profile'),
    weekTable(summary.drift.weeks),
    ...(live === null
      ? []
      : wrap(
          `${yellow('simulated fault')}: from ${summary.drift.simulatedFault.from} to ${summary.drift.simulatedFault.to} ${summary.drift.simulatedFault.what}. Everything else is the data as it is.`,
        )),
    ...(summary.drift.excluded.length === 0 ? [] : wrap(dim(`left out of drift, as calendar features: ${summary.drift.excluded.join(', ')}`))),
    '',
    bold(summary.alarms.length === 1 ? 'One drift alarm' : `${summary.alarms.length === 0 ? 'No' : count(summary.alarms.length)} drift alarms`),
    ...summary.alarms.flatMap((alarm) => wrap(`${red('●')} ${alarm.feature ?? alarm.kind}, week of ${alarm.week}: ${alarm.message}`)),
    '',
    promises === null
      ? yellow('! this demo is still at work, or was cut off: a new start, once it has stopped, goes on from here')
      : broken.length === 0
        ? green(`✓ the demo showed all that it promises (${promises.length} checks)`)
        : red(`✗ ${broken.length} of ${promises.length} checks failed`),
    ...broken.flatMap(({ promise, found }) => wrap(`${red('✗')} ${promise}: ${found}`)),
    '',
    `  interface  ${bold(`${url}/ui/`)}`,
    `  data       ${dataDir}`,
  ].join('\n');
}

const figure = (value: number | null, digits: number): string => (value === null ? '–' : value.toFixed(digits));
const table = <T>(rows: T[], columns: TableColumn<T>[]): string => indent(formatTable(rows, columns));
const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');

function gateLines({ gates, versions }: DemoSummary): string[] {
  const nameWidth = Math.max(...gates.map((gate) => gate.run.length), 0);
  return gates.flatMap((gate) => {
    const aliases = versions.find((version) => version.version === gate.version)?.aliases ?? [];
    const verdict = gate.passed === null ? dim('not asked') : gate.passed ? green('passed') : red('refused');
    const checked = gate.results
      .filter((result) => result.passed)
      .map((result) => result.gate)
      .join(', ');
    return [
      `  ${String(gate.version).padStart(2)}  ${gate.run.padEnd(nameWidth)}  ${verdict}${checked === '' ? '' : dim(`  ${checked}`)}${aliases.length === 0 ? '' : `  ${bold(`← ${aliases.join(', ')}`)}`}`,
      ...gate.results.filter((result) => !result.passed).flatMap((result) => wrap(`${red(result.gate)}: ${result.message}`, 6)),
    ];
  });
}

function workLines({ endpoint, batch, live }: DemoSummary): string[] {
  const line = (title: string, text: string) => `${bold(title.padEnd(9))} ${text}`;
  const more = (text: string) => `${' '.repeat(10)}${text}`;
  return [
    line(
      'Endpoint',
      endpoint === null
        ? 'none'
        : `${endpoint.name} serves version ${endpoint.version ?? '–'} and follows champion${endpoint.runMicros === null ? '' : ` (${Math.round(endpoint.runMicros)} µs a run, ${endpoint.tier ?? ''})`}${endpoint.state === 'ready' ? '' : red(` ${endpoint.state}`)}`,
    ),
    ...(batch === null
      ? [line('Batch', 'none')]
      : [
          line(
            'Batch',
            `April 2001: ${count(batch.rows)} flights${batch.rowsPerSecond === null ? '' : ` at ${count(Math.round(batch.rowsPerSecond))} rows/s`}${batch.seconds === null ? '' : `, ${batch.seconds.toFixed(1)} s, of it ${batch.inferenceSeconds.toFixed(1)} s inside ONNX Runtime`}`,
          ),
        ]),
    ...(live === null
      ? [line('Live', 'none')]
      : [
          line('Live', `${live.from} to ${live.to}: ${count(live.requests)} requests with ${count(live.instances)} flights in ${live.seconds.toFixed(1)} s`),
          more(
            `${count(Math.round(live.requestsPerSecond))} requests/s, p50 ${live.p50Ms.toFixed(1)} ms, p99 ${live.p99Ms.toFixed(1)} ms, ${live.concurrency} at a time, client in the server's own process`,
          ),
          ...(live.sentBefore === 0 ? [] : [more(`${count(live.sentBefore)} more requests were sent by an earlier start that was cut off`)]),
        ]),
  ];
}

function qualityRows(
  { versions, live }: DemoSummary,
  quality: NonNullable<DemoSummary['quality']>,
): (Pick<QualityFigures, 'auc' | 'brier' | 'accuracy'> & { name: string; rows: number | null })[] {
  const champion = versions.find((version) => version.champion)?.run ?? 'champion';
  return [
    { name: `validation, ${champion}`, rows: null, ...quality.validation },
    { name: '  majority baseline', rows: null, auc: 0.5, brier: quality.validation.majorityBrier, accuracy: quality.validation.majorityAccuracy },
    { name: 'live, with the truth that came later', rows: quality.live.labelled, ...quality.live },
    {
      name: '  majority baseline',
      rows: live === null ? null : quality.live.labelled,
      auc: 0.5,
      brier: quality.live.majorityBrier,
      accuracy: quality.live.majorityAccuracy,
    },
  ];
}

function weekTable(weeks: WeekFigures[]): string {
  const features = [...new Set(weeks.flatMap((week) => Object.keys(week.js)))];
  return table(weeks, [
    { title: 'week of', value: (week) => week.start },
    { title: 'flights', align: 'right', value: (week) => count(week.flights) },
    { title: 'ROC AUC', align: 'right', value: (week) => figure(week.auc, 3) },
    { title: 'Brier', align: 'right', value: (week) => figure(week.brier, 3) },
    ...features.map((name) => ({
      title: name === 'destination' ? 'dest.' : name,
      align: 'right' as const,
      value: (week: WeekFigures) => figure(week.js[name] ?? null, 3),
    })),
    { title: 'drifted', value: (week) => `${week.drifted.join(', ')}${week.simulatedFault ? ' ← fault' : ''}`.trim() },
  ]);
}
