import type { Kysely } from 'kysely';
import { invalid } from '../../../kernel/index.ts';
import type { KeyValue } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { selectHotIn, writeHot } from './hot.ts';
import { batches, findKeys, internMissing, KeyKind } from './keys.ts';
import { joinText, splitText } from './text-value.ts';

interface RunRef {
  rid: number;
  run_id: string;
  experiment_id: number;
}
type Table = 'run_params' | 'run_tags';
const KINDS = { run_params: KeyKind.param, run_tags: KeyKind.tag } as const;

export const namesOf = (entries: readonly { key: string }[]): string[] => [...new Set(entries.map(({ key }) => key))];

/** What is stored of some of a run's params or tags, by name. Names that the experiment does not know are missing. */
export type KnownTexts = ReadonlyMap<string, { keyId: number; value: string | undefined }>;

export async function readTexts(db: Kysely<Database>, runId: string, table: Table, names: readonly string[]): Promise<KnownTexts> {
  const known = new Map<string, { keyId: number; value: string | undefined }>();
  for (const batch of batches(names)) {
    const rows = await selectHotIn<{ id: number; name: string; head: string | null; rest: string | null }>(
      db,
      `known-${table}`,
      (list) => knownTexts(db, table, list as string[]),
      [KINDS[table], runId],
      batch,
    );
    for (const { id, name, head, rest } of rows) known.set(name, { keyId: id, value: head === null ? undefined : joinText(head, rest) });
  }
  return known;
}

const knownTexts = (db: Kysely<Database>, table: Table, names: readonly string[]) =>
  db
    .selectFrom('runs as r')
    .innerJoin('run_keys as k', (join) => join.onRef('k.experiment_id', '=', 'r.experiment_id').on('k.kind', '=', 0))
    .leftJoin(`${table} as t`, (join) => join.onRef('t.rid', '=', 'r.rid').onRef('t.key_id', '=', 'k.id'))
    .select(['k.id', 'k.name', 't.head', 't.rest'])
    .where('r.run_id', '=', '')
    .where('k.name', 'in', names);

/** The ids of keys, old and new. */
async function keyIds(db: Kysely<Database>, run: RunRef, table: Table, names: readonly string[], known: KnownTexts): Promise<Map<string, number>> {
  const ids = new Map([...known].map(([name, { keyId }]) => [name, keyId]));
  await internMissing(db, run.experiment_id, KINDS[table], names, ids);
  return ids;
}

/** Params never change: the same value again is fine, another is refused. `read`: what `readTexts` told of them. */
export async function writeParams(db: Kysely<Database>, run: RunRef, params: KeyValue[], read?: KnownTexts): Promise<void> {
  if (params.length === 0) return;
  const known = read ?? (await readTexts(db, run.run_id, 'run_params', namesOf(params)));
  const changed = params.flatMap(({ key, value }) => {
    const old = known.get(key)?.value;
    return old === undefined || old === value ? [] : [{ key, old, value }];
  });
  if (changed.length > 0) throw paramChanged(run.run_id, changed);
  const added = params.filter(({ key }) => known.get(key)?.value === undefined);
  const ids = await keyIds(
    db,
    run,
    'run_params',
    added.map(({ key }) => key),
    known,
  );
  await writeHot(
    db,
    'run_params',
    added.map(({ key, value }) => ({ rid: run.rid, key_id: ids.get(key), ...splitText(value) })),
  );
}

function paramChanged(runId: string, changed: { key: string; old: string; value: string }[]) {
  const [only] = changed;
  const what =
    changed.length === 1 && only !== undefined
      ? `Param with key='${only.key}' was already logged with value='${only.old}' for run ID='${runId}'. Attempted logging new value '${only.value}'.`
      : `Params were already logged='[${changed.map(({ key, old, value }) => `{'key': '${key}', 'old_value': '${old}', 'new_value': '${value}'}`).join(', ')}]' for run ID='${runId}'.`;
  return invalid('param_immutable', `Changing param values is not allowed. ${what}`, { details: { keys: changed.map(({ key }) => key) } });
}

/** Sets tags; of one key given twice the last counts. `read`: what `readTexts` told of them. */
export async function writeTags(db: Kysely<Database>, run: RunRef, tags: KeyValue[], read?: KnownTexts): Promise<void> {
  if (tags.length === 0) return;
  const known = read ?? (await readTexts(db, run.run_id, 'run_tags', namesOf(tags)));
  const latest = new Map(tags.map(({ key, value }) => [key, value]));
  const ids = await keyIds(db, run, 'run_tags', [...latest.keys()], known);
  const rows = { added: [] as Record<string, unknown>[], changed: [] as Record<string, unknown>[] };
  for (const [key, value] of latest) {
    const old = known.get(key)?.value;
    if (old === value) continue;
    (old === undefined ? rows.added : rows.changed).push({ rid: run.rid, key_id: ids.get(key), ...splitText(value) });
  }
  await Promise.all([writeHot(db, 'run_tags', rows.added), writeHot(db, 'run_tags', rows.changed, { key: ['rid', 'key_id'] })]);
}

export async function readTag(db: Kysely<Database>, run: RunRef, key: string): Promise<string | undefined> {
  return (await readTexts(db, run.run_id, 'run_tags', [key])).get(key)?.value;
}

/** Whether there was one to delete. */
export async function removeTag(db: Kysely<Database>, run: RunRef, key: string): Promise<boolean> {
  const keyId = (await findKeys(db, run.experiment_id, KeyKind.tag, [key])).get(key);
  if (keyId === undefined) return false;
  const { numDeletedRows } = await db.deleteFrom('run_tags').where('rid', '=', run.rid).where('key_id', '=', keyId).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
