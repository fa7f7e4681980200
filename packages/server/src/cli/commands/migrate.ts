import { basename, dirname, join } from 'node:path';
import { type Config, loadConfig, parseArtifacts } from '../../config/index.ts';
import type { ArtifactsReport, MovePhase, MoveReport } from '../../upkeep/index.ts';
import { bold, count, EXIT_FAILED, formatTable, print, printJson, progressBar, red, say } from '../output.ts';
import { UsageError } from '../usage.ts';

export interface MigrateFlags {
  to?: string | undefined;
  data?: string | undefined;
  database?: string | undefined;
  artifacts?: string | undefined;
  json?: true | undefined;
}

const PHASES: Record<MovePhase, string> = { check: 'looking at', copy: 'copying', compare: 'comparing' };

/** Moves the metadata to another database, and artifacts to a bucket, and proves that all of it is there. No server is asked, none is started. */
export async function migrate(options: MigrateFlags): Promise<void> {
  const to = options.to ?? process.env.BINNACLE_MIGRATE_TO ?? '';
  const bucket = parseArtifacts(options.artifacts);
  if (to === '' && bucket === undefined)
    throw new UsageError('Say where to: --to URL (or BINNACLE_MIGRATE_TO) for the metadata, --artifacts s3://… for the files.');
  const config = await loadConfig({
    ...(options.data === undefined ? {} : { data: options.data }),
    ...(options.database === undefined ? {} : { database: options.database }),
  });
  // Files first: a database that is equal is what one starts on.
  const files = bucket === undefined ? undefined : await copyFiles(config, bucket);
  const report = to === '' ? undefined : await metadata(config, to);
  if (options.json) printJson({ ...report, ...(files === undefined ? {} : { artifacts: files }) });
  else if (report !== undefined) printProof(report);
  for (const { path, why } of files?.failed ?? []) say(`${red('not copied:')} ${path}: ${why}`);
  if (report !== undefined) say(report.equal ? next(report, to, config, files !== undefined) : complaint(report));
  if (files !== undefined && files.failed.length === 0)
    say('all artifacts are in the bucket; start with that --artifacts (or BINNACLE_ARTIFACTS). The old files stay where they are.');
  if (report?.equal === false || (files?.failed.length ?? 0) > 0) process.exitCode = EXIT_FAILED;
}

async function copyFiles(config: Config, bucket: NonNullable<Config['artifacts']>): Promise<ArtifactsReport> {
  const { copyArtifactsTo } = await import('../../compose/copy-artifacts.ts');
  const bar = progressBar('artifacts');
  const report = await copyArtifactsTo(config, bucket, (files, bytes) => bar.update(files, null, `files, ${count(bytes)} bytes`));
  bar.end(`${count(report.files)} files, ${count(report.bytes)} bytes, ${count(report.copied)} copied now`);
  return report;
}

async function metadata(config: Config, to: string): Promise<MoveReport> {
  const { moveMetadata } = await import('../../compose/move.ts');
  const bar = progressBar('migrate');
  const report = await moveMetadata(config, to, (phase, table, done, total) =>
    bar.update(done, total, `${PHASES[phase]} ${table}: ${count(done)} of ${count(total)} rows`),
  );
  const done = `${count(report.rows)} rows in ${report.tables.length} tables, ${count(report.copied)} written now`;
  if (report.equal) bar.end(done);
  else say(done);
  return report;
}

function printProof({ tables }: MoveReport): void {
  print(
    formatTable(tables, [
      { title: 'table', value: ({ table }) => table },
      { title: 'rows', value: ({ rows }) => count(rows), align: 'right' },
      { title: 'in the target', value: ({ targetRows }) => count(targetRows), align: 'right' },
      { title: 'SHA-256', value: ({ checksum }) => checksum.slice(0, 16) },
      { title: 'in the target', value: ({ targetChecksum }) => targetChecksum.slice(0, 16) },
      { title: '', value: ({ equal }) => (equal ? 'equal' : 'DIFFERENT') },
    ]),
  );
}

function complaint({ tables, already, to }: MoveReport): string {
  const lines = tables.filter(({ equal }) => !equal).map(({ table, firstDifference }) => `${red('different:')} ${table}: ${firstDifference}`);
  const why = already
    ? `${to} was filled completely before, and one of the two has been changed since. Nothing was written. Empty it to migrate once more.`
    : 'The source may be written by another program. Run it again; the target cannot be started on until it is equal.';
  return [...lines, why].join('\n');
}

/** What to do now. */
function next({ from, to }: MoveReport, url: string, { dataDir, database }: Config, copied: boolean): string {
  const file = url.startsWith('sqlite:');
  const start = file ? `binnacle up --data '${dirname(to)}'` : `BINNACLE_DATABASE='${to.replace('@', ':PASSWORD@')}' binnacle up --data '${dataDir}'`;
  const moved = file && dirname(to) !== dataDir;
  return [
    bold('all tables are equal; start on the new database with'),
    file && basename(to) !== 'binnacle.db' ? `  mv '${to}' '${join(dirname(to), 'binnacle.db')}'` : '',
    `  ${start}${file ? '   (without BINNACLE_DATABASE)' : ''}`,
    file ? '' : `  or in binnacle.config.ts: database: { url: '…' }`,
    copied
      ? `The prediction log and tables ${moved ? `are still in ${dataDir}: copy its folders monitoring and tables to ${dirname(to)}` : `stay in ${dataDir}: go on with that data directory`}.`
      : moved
        ? `Only the metadata was moved. Artifacts, the prediction log and tables are still in ${dataDir}: copy its folders artifacts, monitoring and tables to ${dirname(to)}.`
        : `Only the metadata was moved. Artifacts, the prediction log and tables stay in ${dataDir}: go on with that data directory.`,
    `The old database is unchanged: ${database.url === undefined ? from : `${from}, which nothing of ours deletes`}. Put it away, so that no server starts on it by mistake.`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}
