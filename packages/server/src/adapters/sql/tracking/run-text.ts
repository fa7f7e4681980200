import type { Kysely } from 'kysely';
import { invalid } from '../../../kernel/index.ts';
import type { KeyValue } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { batches, findKeys, internKeys, KeyKind, padded } from './keys.ts';
import { joinText, splitText } from './text-value.ts';

interface RunRef {
  rid: number;
  run_id: string;
  experiment_id: number;
}
type Table = 'run_params' | 'run_tags';

async function readText(db: Kysely<Database>, table: Table, rid: number, keyIds: number[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const ids of batches(keyIds)) {
    const rows = await db.selectFrom(table).select(['key_id', 'head', 'rest']).where('rid', '=', rid).where('key_id', 'in', padded(ids)).execute();
    for (const { key_id, head, rest } of rows) found.set(key_id, joinText(head, rest));
  }
  return found;
}

/** Params never change: the same value again is fine, another is refused. */
export async function writeParams(db: Kysely<Database>, run: RunRef, params: KeyValue[]): Promise<void> {
  if (params.length === 0) return;
  const keys = await internKeys(
    db,
    run.experiment_id,
    KeyKind.param,
    params.map(({ key }) => key),
  );
  const stored = await readText(db, 'run_params', run.rid, [...keys.values()]);
  const changed = params.filter(({ key, value }) => {
    const old = stored.get(keys.get(key) as number);
    return old !== undefined && old !== value;
  });
  if (changed.length > 0)
    throw paramChanged(
      run.run_id,
      changed.map(({ key, value }) => ({ key, old: stored.get(keys.get(key) as number) as string, value })),
    );
  const rows = params
    .filter(({ key }) => !stored.has(keys.get(key) as number))
    .map(({ key, value }) => ({ rid: run.rid, key_id: keys.get(key) as number, ...splitText(value) }));
  for (const batch of batches(rows, 500)) await db.insertInto('run_params').values(batch).execute();
}

function paramChanged(runId: string, changed: { key: string; old: string; value: string }[]) {
  const [only] = changed;
  const what =
    changed.length === 1 && only !== undefined
      ? `Param with key='${only.key}' was already logged with value='${only.old}' for run ID='${runId}'. Attempted logging new value '${only.value}'.`
      : `Params were already logged='[${changed.map(({ key, old, value }) => `{'key': '${key}', 'old_value': '${old}', 'new_value': '${value}'}`).join(', ')}]' for run ID='${runId}'.`;
  return invalid('param_immutable', `Changing param values is not allowed. ${what}`, { details: { keys: changed.map(({ key }) => key) } });
}

/** Sets tags; of one key given twice the last counts. */
export async function writeTags(db: Kysely<Database>, run: RunRef, tags: KeyValue[]): Promise<void> {
  if (tags.length === 0) return;
  const latest = new Map(tags.map(({ key, value }) => [key, value]));
  const keys = await internKeys(db, run.experiment_id, KeyKind.tag, [...latest.keys()]);
  const stored = await readText(db, 'run_tags', run.rid, [...keys.values()]);
  const added: { rid: number; key_id: number; head: string; rest: string | null }[] = [];
  for (const [key, value] of latest) {
    const keyId = keys.get(key) as number;
    const old = stored.get(keyId);
    if (old === undefined) added.push({ rid: run.rid, key_id: keyId, ...splitText(value) });
    else if (old !== value) await db.updateTable('run_tags').set(splitText(value)).where('rid', '=', run.rid).where('key_id', '=', keyId).execute();
  }
  for (const batch of batches(added, 500)) await db.insertInto('run_tags').values(batch).execute();
}

export async function readTag(db: Kysely<Database>, run: RunRef, key: string): Promise<string | undefined> {
  const keyId = (await findKeys(db, run.experiment_id, KeyKind.tag, [key])).get(key);
  return keyId === undefined ? undefined : (await readText(db, 'run_tags', run.rid, [keyId])).get(keyId);
}

/** Whether there was one to delete. */
export async function removeTag(db: Kysely<Database>, run: RunRef, key: string): Promise<boolean> {
  const keyId = (await findKeys(db, run.experiment_id, KeyKind.tag, [key])).get(key);
  if (keyId === undefined) return false;
  const { numDeletedRows } = await db.deleteFrom('run_tags').where('rid', '=', run.rid).where('key_id', '=', keyId).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
