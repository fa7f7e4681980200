import { messageOf } from '../../kernel/index.ts';
import type { SourceRun, SourceSeries } from '../mlflow-source.port.ts';
import { atOnce, type Context, digestOf, wantedExperiments } from './context.ts';
import { copyFiles, type FilePlan, filesKnown, planFiles } from './files.ts';
import { count, fail } from './report.ts';

/** Runs of one request, and points that go with each: the others follow it. */
const GROUP = 50;
const INLINE_POINTS = 5000;
const READ_AT_ONCE = 8;
/** Characters of a request's texts. */
const MAX_TEXT = 16_000_000;

interface Prepared {
  run: SourceRun;
  experimentId: string;
  plan: FilePlan;
  digest: string | null;
  series: SourceSeries[];
  /** Points behind the first ones. */
  rest: AsyncIterator<SourceSeries[]> | null;
}

const nameOf = ({ name, runId }: SourceRun): string => `run ${runId}${name === '' ? '' : ` (${name})`}`;

/** Runs with points and files. One that is as it was when it last came in whole costs no request of its own. */
export async function importRuns(context: Context): Promise<void> {
  const { source, target, report, progress } = context;
  const wanted = wantedExperiments(context);
  const total = await source.countRuns(wanted);
  let done = 0;
  for await (const page of source.runs(wanted)) {
    const known = await target.known(
      'run',
      page.map(({ runId }) => runId),
    );
    for (let at = 0; at < page.length; at += GROUP) {
      const group: Prepared[] = [];
      await atOnce(page.slice(at, at + GROUP), READ_AT_ONCE, async (run) => {
        try {
          const prepared = await prepare(context, run, known.get(run.runId));
          if (prepared === undefined) report.runs.unchanged++;
          else if (context.dryRun) report.runs[known.has(run.runId) ? 'updated' : 'created']++;
          else group.push(prepared);
        } catch (error) {
          fail(report, 'runs', nameOf(run), messageOf(error));
        }
      });
      for (const part of bySize(group)) await send(context, part, known);
      done += Math.min(GROUP, page.length - at);
      progress?.(done, total, 'runs');
    }
  }
}

/** What is to be sent of a run; undefined when it is here already as it is there. */
async function prepare(context: Context, run: SourceRun, before: string | null | undefined): Promise<Prepared | undefined> {
  const { source, recheck, artifacts, dryRun } = context;
  const { metrics, artifactUri, ...fields } = run;
  const own = metrics === null ? null : digestOf([fields, metrics, artifactUri]);
  const [ownBefore, filesBefore] = (before ?? '').split('.');
  const same = own !== null && own === ownBefore;
  // Of one that ended, and has not changed since, files are not asked for again where asking takes time.
  if (same && !recheck && (artifacts ? !source.listsForNothing && filesKnown(filesBefore) : filesBefore !== undefined)) return undefined;
  const plan = await planFiles(context, { kind: 'run', id: run.runId, uri: artifactUri });
  if (same && !recheck && plan.digest === filesBefore) return undefined;
  const experimentId = context.experimentIds.get(run.experimentId) as string;
  const prepared: Prepared = { run, experimentId, plan, digest: own === null ? null : `${own}.${plan.digest}`, series: [], rest: null };
  if (dryRun) return prepared;
  const parts = source.series(run)[Symbol.asyncIterator]();
  let points = 0;
  for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
    prepared.series.push(...part.value);
    points += part.value.reduce((sum, { steps }) => sum + steps.length, 0);
    if (points < INLINE_POINTS) continue;
    prepared.rest = parts;
    break;
  }
  return prepared;
}

function* bySize(group: Prepared[]): Iterable<Prepared[]> {
  let part: Prepared[] = [];
  let size = 0;
  for (const one of group) {
    const { params, tags, datasets } = one.run;
    const own =
      [...params, ...tags].reduce((sum, { key, value }) => sum + key.length + value.length, 0) +
      datasets.reduce((sum, { source, schema, profile }) => sum + source.length + (schema?.length ?? 0) + (profile?.length ?? 0), 0);
    if (part.length > 0 && size + own > MAX_TEXT) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(one);
    size += own;
  }
  if (part.length > 0) yield part;
}

async function send(context: Context, group: Prepared[], known: ReadonlyMap<string, string | null>): Promise<void> {
  const { target, report } = context;
  const results = await target.importRuns(
    group.map(({ run, experimentId, plan, digest, series, rest }) => {
      const { metrics: _, ...fields } = run;
      // Points and files that follow make it whole.
      return { ...fields, experimentId, artifactUri: plan.uri, series, digest: rest === null && plan.files.length === 0 ? digest : null };
    }),
  );
  const finished: { id: string; digest: string }[] = [];
  for (const [i, { run, plan, digest, rest, series }] of group.entries()) {
    const result = results[i] as (typeof results)[number];
    if (result.outcome === 'failed') {
      fail(report, 'runs', nameOf(run), result.problem ?? 'it was refused');
      continue;
    }
    report.points += result.points;
    let { outcome } = result;
    if (outcome !== 'removed') {
      try {
        const more = rest === null ? 0 : await sendRest(context, run.runId, rest);
        report.points += more;
        const copied = report.files.copied;
        const whole = result.artifactUri === null || (await copyFiles(context, nameOf(run), result.artifactUri, plan.files, !known.has(run.runId)));
        if (outcome === 'unchanged' && (more > 0 || report.files.copied > copied)) outcome = 'updated';
        if (whole && digest !== null && (rest !== null || plan.files.length > 0)) finished.push({ id: run.runId, digest });
      } catch (error) {
        fail(report, 'runs', nameOf(run), messageOf(error));
        continue;
      }
    }
    count(report, 'runs', nameOf(run), { outcome, kept: result.kept });
    series.length = 0;
  }
  await target.finish('run', finished);
}

async function sendRest({ target }: Context, runId: string, rest: AsyncIterator<SourceSeries[]>): Promise<number> {
  let added = 0;
  for (let part = await rest.next(); part.done !== true; part = await rest.next()) added += await target.importPoints(runId, part.value);
  return added;
}
