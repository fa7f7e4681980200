import { importMlflow, type MlflowReport, type Tally } from '../../transfer/index.ts';
import { type ConnectFlags, connect } from '../connect.ts';
import { mlflowTarget } from '../import-mlflow-target.ts';
import { bold, count, formatTable, print, printJson, progressBar, say } from '../output.ts';

export interface ImportMlflowFlags extends ConnectFlags {
  artifacts?: string | boolean | undefined;
  experiment?: string[] | undefined;
  dryRun?: true | undefined;
  recheck?: true | undefined;
  json?: true | undefined;
}

/** Brings an MLflow in. Exit code 1 when something could not be brought in. */
export async function importFromMlflow(place: string, options: ImportMlflowFlags): Promise<void> {
  const { openMlflow } = await import('../../compose/mlflow-source.ts');
  const source = await openMlflow(place, { files: typeof options.artifacts === 'string' ? options.artifacts : null, env: process.env });
  try {
    const { client, close } = await connect(options);
    try {
      const bar = progressBar('import');
      const report = await importMlflow({
        source,
        target: mlflowTarget(client),
        experiments: options.experiment ?? [],
        artifacts: options.artifacts !== false,
        dryRun: options.dryRun === true,
        recheck: options.recheck === true,
        progress: (done, total, note) => bar.update(done, total, note),
      });
      bar.end(`${count(report.runs.created + report.runs.updated)} runs`);
      if (options.json) printJson(report);
      else show(report);
      if (report.failed.length > 0) process.exitCode = 1;
    } finally {
      await close();
    }
  } finally {
    await source.close();
  }
}

function show(report: MlflowReport): void {
  print(bold(report.dryRun ? `would be imported from ${report.source}` : `imported from ${report.source}`));
  const rows = (['experiments', 'runs', 'loggedModels', 'models', 'versions'] as const).map((name) => ({
    name: { experiments: 'experiments', runs: 'runs', loggedModels: 'logged models', models: 'registered models', versions: 'versions' }[name],
    ...report[name],
  }));
  const figure = (title: string, key: keyof Tally) => ({ title, align: 'right' as const, value: (row: (typeof rows)[number]) => count(row[key]) });
  print(
    formatTable(rows, [
      { title: '', value: ({ name }) => name },
      figure('new', 'created'),
      figure('changed', 'updated'),
      figure('unchanged', 'unchanged'),
      figure('removed here', 'removed'),
      figure('failed', 'failed'),
    ]),
  );
  const { points, files, aliases, more } = report;
  print(
    `${count(points)} points of metrics, ${count(files.copied)} files (${count(files.bytes)} bytes), ${count(aliases.set)} aliases set, ${count(aliases.removed)} removed`,
  );
  const list = <T>(title: string, name: string, entries: T[], line: (entry: T) => string) => {
    if (entries.length === 0) return;
    print(bold(title));
    for (const entry of entries) print(line(entry));
    if (more[name] !== undefined) print(`and ${count(more[name])} more`);
  };
  list('under another id here', 'mapped', report.mapped, ({ experiment, from, to }) => `experiment ${experiment}: ${from} there, ${to} here`);
  list('changed here and there: kept as it is here', 'kept', report.kept, ({ what, fields }) => `${what}: ${fields.join(', ')}`);
  list('files that were not copied', 'notCopied', report.notCopied, ({ where, things, why }) => `${where}: of ${count(things)} runs or models: ${why}`);
  list('in another form', 'notes', report.notes, ({ what, message }) => `${what}: ${message}`);
  list('not carried over', 'leftOut', report.leftOut, ({ what, count: n, why }) => `${n === null ? '' : `${count(n)} `}${what}: ${why}`);
  list('failed', 'failed', report.failed, ({ what, message }) => `${what}: ${message}`);
  if (report.failed.length > 0) say('run it again to go on with what failed');
}
