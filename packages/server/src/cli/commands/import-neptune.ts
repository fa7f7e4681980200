import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { importNeptune, type NeptuneReport } from '../../transfer/index.ts';
import { type ConnectFlags, connect } from '../connect.ts';
import { importTarget } from '../import-target.ts';
import { bold, count, print, printJson, progressBar, say } from '../output.ts';

export interface ImportNeptuneFlags extends ConnectFlags {
  files?: string | undefined;
  dryRun?: true | undefined;
  json?: true | undefined;
}

/** Brings neptune-exporter's output in. Exit code 1 when a run could not be brought in. */
export async function importFromNeptune(dir: string, options: ImportNeptuneFlags): Promise<void> {
  // The exporter's own default puts data and files side by side.
  const given = resolve(dir);
  const data = existsSync(join(given, 'data')) && existsSync(join(given, 'files')) ? join(given, 'data') : given;
  const beside = join(data, '..', 'files');
  const files = options.files === undefined ? (existsSync(beside) ? beside : null) : resolve(options.files);
  const { openNeptuneExport } = await import('../../compose/neptune-export.ts');
  const source = await openNeptuneExport(data);
  try {
    const { client, close } = await connect(options);
    try {
      const bar = progressBar('import');
      const report = await importNeptune({
        source,
        target: importTarget(client),
        files,
        dryRun: options.dryRun === true,
        progress: (done, total, run) => bar.update(done, total, run),
      });
      bar.end(`${count(report.imported)} runs`);
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

function show(report: NeptuneReport): void {
  const { runs, imported, unchanged, params, points, entries, files, forks, models, versions } = report;
  print(bold(report.dryRun ? 'would be imported' : 'imported'));
  print(`${count(imported)} of ${count(runs)} runs (${count(unchanged)} were there already), ${count(forks)} of all are forks`);
  print(`${count(params)} params, ${count(points)} points of metrics, ${count(entries)} strings, histograms and files of series, ${count(files)} files`);
  for (const { project, run, message } of report.failed) print(`failed: ${project}/${run}: ${message}`);
  for (const { project, run } of report.incomplete) print(`left out: ${project}/${run}: its export was not finished`);
  if (models + versions > 0) print(`${count(models)} registered models, ${count(versions)} versions`);
  if (report.notes.length > 0) print(bold('in another form, or not at all'));
  for (const { project, run, attribute, what } of report.notes) print(`${project}/${run} ${attribute}: ${what}`);
  if (report.failed.length > 0) say('run it again to go on with what failed');
}
