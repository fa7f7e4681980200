import { dirname } from 'node:path';
import { loadConfig } from '../../config/index.ts';
import type { MovePhase, MoveReport } from '../../upkeep/index.ts';
import { bold, count, EXIT_FAILED, formatTable, print, printJson, progressBar, red, say } from '../output.ts';
import { UsageError } from '../usage.ts';

export interface MigrateFlags {
  to?: string | undefined;
  data?: string | undefined;
  database?: string | undefined;
  json?: true | undefined;
}

const PHASES: Record<MovePhase, string> = { check: 'looking at', copy: 'copying', compare: 'comparing' };

/** Moves the metadata to another database, and proves that all of it is there. No server is asked, none is started. */
export async function migrate(options: MigrateFlags): Promise<void> {
  const to = options.to ?? process.env.BINNACLE_MIGRATE_TO;
  if (to === undefined || to === '') throw new UsageError('Say where to: --to URL, or BINNACLE_MIGRATE_TO.');
  const config = await loadConfig({
    ...(options.data === undefined ? {} : { data: options.data }),
    ...(options.database === undefined ? {} : { database: options.database }),
  });
  const { moveMetadata } = await import('../../compose/move.ts');
  const bar = progressBar('migrate');
  const report = await moveMetadata(config, to, (phase, table, done, total) =>
    bar.update(done, total, `${PHASES[phase]} ${table}: ${count(done)} of ${count(total)} rows`),
  );
  const done = `${count(report.rows)} rows in ${report.tables.length} tables, ${count(report.copied)} written now`;
  if (options.json) printJson(report);
  else printProof(report);
  if (report.equal) {
    bar.end(done);
    say(next(report, to, config));
  } else {
    say(done);
    say(complaint(report));
    process.exitCode = EXIT_FAILED;
  }
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
function next({ from, to }: MoveReport, url: string, { dataDir, database }: { dataDir: string; database: { url: string | undefined } }): string {
  const file = url.startsWith('sqlite:');
  const start = file ? `binnacle up --data '${dirname(to)}'` : `BINNACLE_DATABASE='${to.replace('@', ':PASSWORD@')}' binnacle up --data '${dataDir}'`;
  const moved = file && dirname(to) !== dataDir;
  return [
    bold('all tables are equal; start on the new database with'),
    `  ${start}${file ? '   (without BINNACLE_DATABASE)' : ''}`,
    file ? '' : `  or in binnacle.config.ts: database: { url: '…' }`,
    moved
      ? `Only the metadata was moved. Artifacts, the prediction log and tables are still in ${dataDir}: copy its folders artifacts, monitoring and tables to ${dirname(to)}.`
      : `Only the metadata was moved. Artifacts, the prediction log and tables stay in ${dataDir}: go on with that data directory.`,
    `The old database is unchanged: ${database.url === undefined ? from : `${from}, which nothing of ours deletes`}. Put it away, so that no server starts on it by mistake.`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}
