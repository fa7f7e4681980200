import { say, bold, count, print, printJson } from '../output.ts';
import { type ConnectFlags, connect } from '../connect.ts';
import { UsageError } from '../usage.ts';

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds of `30d`, `12h`, `0`. */
export function parseAge(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,9})([smhdw])?$/.exec(text) ?? [];
  if (amount === undefined || (unit === 's' && text === amount && amount !== '0')) throw new UsageError(`${text} is not an age: write 30d, 12h, 90m or 0.`);
  return Number(amount) * (UNITS[unit] ?? 1);
}

export interface GcFlags extends ConnectFlags {
  olderThan: string;
  dryRun?: true | undefined;
  yes?: true | undefined;
  json?: true | undefined;
}

/** Says what garbage collection would remove; removes it with --yes. */
export async function gc(options: GcFlags): Promise<void> {
  if (options.dryRun === true && options.yes === true) throw new UsageError('--dry-run and --yes exclude each other.');
  const body = { olderThanSeconds: parseAge(options.olderThan), dryRun: options.yes !== true };
  const { client, close } = await connect(options);
  try {
    let report = await client.call('collectGarbage', { body });
    while (report.more) {
      say(`${count(report.runs)} runs, ${count(report.bytes)} bytes so far`);
      const next = await client.call('collectGarbage', { body });
      for (const key of ['runs', 'loggedModels', 'experiments', 'files', 'bytes', 'derivedFiles', 'uploads', 'foreign'] as const) next[key] += report[key];
      report = { ...next, points: (next.points ?? 0) + (report.points ?? 0), names: (next.names ?? 0) + (report.names ?? 0) };
    }
    if (options.json) return printJson(report);
    const { runs, loggedModels, experiments, points, files, bytes, derivedFiles, uploads, names, foreign, kept } = report;
    print(bold(body.dryRun ? 'would be removed' : 'removed'));
    print(
      `${count(experiments)} experiments, ${count(runs)} runs${points === null ? '' : ` with ${count(points)} points`}, ${count(loggedModels)} logged models`,
    );
    print(`${count(files)} files (${count(derivedFiles)} of them derived by the server), ${count(bytes)} bytes`);
    if (uploads > 0) print(`${count(uploads)} folders of pushes that broke off`);
    if (names !== null && names > 0) print(`${count(names)} names of metrics, params and tags that no run uses`);
    if (foreign > 0) print(`${count(foreign)} of them have files elsewhere, which are not touched`);
    if (kept.length > 0) print(bold('kept'));
    for (const { kind, id, name, reason } of kept) print(`${kind} ${id} (${name}): ${reason}`);
    if (body.dryRun) say('this was a dry run: --yes removes them for good');
  } finally {
    await close();
  }
}
