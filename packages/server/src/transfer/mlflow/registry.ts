import { isElsewhere, proxiedPath } from '../../artifacts/index.ts';
import { messageOf } from '../../kernel/index.ts';
import type { SourceModel, SourceVersion } from '../mlflow-source.port.ts';
import type { Context } from './context.ts';
import { addTo, count, fail } from './report.ts';

const versionId = ({ model, version }: SourceVersion): string => `${model}/${version}`;

/** Registered models, then their versions, then the aliases that point at them. */
export async function importRegistry(context: Context): Promise<void> {
  const { source, target, report, dryRun, progress } = context;
  const aliases: Pick<SourceModel, 'name' | 'aliases'>[] = [];
  const here = new Set<string>();
  const there = new Set<string>();
  for await (const page of source.models()) {
    const known = await target.known(
      'model',
      page.map(({ name }) => name),
    );
    for (const { aliases: pointers, ...model } of page) {
      const what = `registered model ${model.name}`;
      there.add(model.name);
      try {
        const result = dryRun ? { outcome: known.has(model.name) ? ('unchanged' as const) : ('created' as const), kept: [] } : await target.importModel(model);
        count(report, 'models', what, result);
        if (result.outcome === 'removed') continue;
        here.add(model.name);
        aliases.push({ name: model.name, aliases: pointers });
      } catch (error) {
        fail(report, 'models', what, messageOf(error));
      }
    }
  }
  let done = 0;
  for await (const page of source.versions()) {
    const known = await target.known('version', page.map(versionId));
    for (const version of page) {
      // Those of prompts, and of models that were removed here.
      if (!there.has(version.model)) continue;
      if (!here.has(version.model)) {
        report.versions.removed++;
        continue;
      }
      await importVersion(context, version, known.has(versionId(version)));
      progress?.(++done, null, 'versions');
    }
  }
  if (dryRun) {
    for (const model of aliases) report.aliases.set += model.aliases.length;
    return;
  }
  for (const { name, aliases: pointers } of aliases) {
    try {
      const { set, removed, kept, guarded } = await target.importAliases(name, pointers);
      report.aliases.set += set.length;
      report.aliases.removed += removed.length;
      if (kept.length > 0) addTo(report, 'kept', { what: `registered model ${name}`, fields: kept.map((alias) => `alias:${alias}`) });
      for (const alias of guarded)
        addTo(report, 'kept', { what: `registered model ${name}`, fields: [`alias:${alias} (guarded by gates here: move it with binnacle models promote)`] });
    } catch (error) {
      addTo(report, 'failed', { what: `aliases of registered model ${name}`, message: messageOf(error) });
    }
  }
}

async function importVersion(context: Context, version: SourceVersion, known: boolean): Promise<void> {
  const { target, report, dryRun } = context;
  const what = `version ${version.version} of ${version.model}`;
  if (dryRun) {
    report.versions[known ? 'unchanged' : 'created']++;
    return;
  }
  try {
    const { status, ...rest } = version;
    const source = await sourceHere(context, version.source);
    const result = await target.importVersion({ ...rest, source });
    count(report, 'versions', what, result);
    const created = result.outcome === 'created';
    if (created && status !== 'READY')
      addTo(report, 'notes', { what, message: `It was ${status} there, and is READY here: a version here has no other state.` });
    if (result.problem !== null) addTo(report, 'notes', { what, message: result.problem });
    else if (created && source !== version.source) addTo(report, 'notes', { what, message: `Its source was ${version.source}, and is ${source} here.` });
  } catch (error) {
    fail(report, 'versions', what, messageOf(error));
  }
}

/** `…/<run id or model id>/artifacts/<path>`, wherever that was. */
const OWNED = /\/(m-[0-9a-zA-Z]+|[0-9a-f]{32})\/artifacts(?:\/(.*))?$/s;

/** A source that names files of a run or logged model by their place names them by their place here, when they are here. */
async function sourceHere({ target }: Context, source: string): Promise<string> {
  if (/^(models|runs):/.test(source)) return source;
  const [, id, path = ''] = OWNED.exec(source) ?? [];
  if (id === undefined) return source;
  const uri = await target.artifactUri(id.startsWith('m-') ? 'logged-model' : 'run', id);
  if (uri === undefined || isElsewhere(uri)) return source;
  const place = path === '' ? uri : `${uri}/${path.replace(/\/+$/, '')}`;
  return samePlace(source, place) ? source : place;
}

/** With and without the host that a client reached its server by. */
const samePlace = (a: string, b: string): boolean => (proxiedPath(a) ?? a) === (proxiedPath(b) ?? b);
