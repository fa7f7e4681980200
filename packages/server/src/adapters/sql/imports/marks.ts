import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { KeyValue } from '../../../tracking/index.ts';
import type { ImportMark } from '../../../transfer/index.ts';
import type { Database } from '../schema/index.ts';
import { padded } from '../tracking/keys.ts';

type Kind = 'experiment' | 'run' | 'logged-model' | 'model' | 'version';

/** A thing's fields as text, by name; one that it does not have is absent. */
export type Fields = Map<string, string>;

export interface Mark {
  target: string | null;
  digest: string | null;
  /** A hash of each field as it was imported last. */
  base: Map<string, string>;
}

const hashOf = (value: string): string => createHash('sha256').update(value).digest('base64url').slice(0, 12);

export async function readMark(db: Kysely<Database>, kind: Kind, entity: string): Promise<Mark | undefined> {
  const row = await db.selectFrom('import_marks').selectAll().where('kind', '=', kind).where('entity', '=', entity).executeTakeFirst();
  if (row === undefined) return undefined;
  return { target: row.target, digest: row.digest, base: new Map(JSON.parse(row.fields) as [string, string][]) };
}

/** Remembers what was imported. `others` keeps what is known of fields that are not among these. */
export async function writeMark(
  db: Kysely<Database>,
  mark: { kind: Kind; entity: string; target?: string | null; digest: string | null; fields: Fields; others?: [string, string][] },
  known: boolean,
): Promise<void> {
  const fields = JSON.stringify([...(mark.others ?? []), ...[...mark.fields].map(([name, value]) => [name, hashOf(value)])]);
  const columns = { target: mark.target ?? null, digest: mark.digest, fields };
  if (known) await db.updateTable('import_marks').set(columns).where('kind', '=', mark.kind).where('entity', '=', mark.entity).execute();
  else
    await db
      .insertInto('import_marks')
      .values({ kind: mark.kind, entity: mark.entity, ...columns })
      .execute();
}

/**
 * What to change here so that it is as it is elsewhere: fields that were not changed here since the last import (null: gone). A field that was changed on both
 * sides is kept, and told. `base` undefined: nothing is known of how it was, so only what is not here is taken.
 */
export function mergeFields(base: Map<string, string> | undefined, here: Fields, there: Fields): { changes: Map<string, string | null>; kept: string[] } {
  const changes = new Map<string, string | null>();
  const kept: string[] = [];
  for (const field of new Set([...there.keys(), ...(base?.keys() ?? [])])) {
    const theirs = there.get(field) ?? null;
    const ours = here.get(field) ?? null;
    if (theirs === ours) continue;
    const before = base?.get(field) ?? null;
    const same = (value: string | null) => (value === null ? before === null : before === hashOf(value));
    if (same(ours)) changes.set(field, theirs);
    else if (base === undefined || !same(theirs)) kept.push(field);
  }
  return { changes, kept };
}

export async function listMarks(db: Kysely<Database>, kind: string, ids: string[]): Promise<ImportMark[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('import_marks').select(['entity', 'target', 'digest']).where('kind', '=', kind).where('entity', 'in', padded(ids)).execute();
  const gone = await goneHere(db, kind, ids);
  return rows.map(({ entity, target, digest }) => ({ id: entity, target, digest: gone(entity) ? null : digest }));
}

/** Which were removed here: those are not as they were when they came in. */
async function goneHere(db: Kysely<Database>, kind: string, ids: string[]): Promise<(id: string) => boolean> {
  if (kind !== 'run' && kind !== 'logged-model') return () => false;
  const rows =
    kind === 'run'
      ? await db.selectFrom('runs').select('run_id as id').where('run_id', 'in', padded(ids)).execute()
      : await db.selectFrom('logged_models').select('model_id as id').where('model_id', 'in', padded(ids)).execute();
  const here = new Set(rows.map(({ id }) => id));
  return (id) => !here.has(id);
}

export async function finishMarks(db: Kysely<Database>, kind: string, done: { id: string; digest: string }[]): Promise<void> {
  for (const { id, digest } of done) await db.updateTable('import_marks').set({ digest }).where('kind', '=', kind).where('entity', '=', id).execute();
}

export const TAG = 'tag:';

/** Tags as fields. */
export const tagFields = (tags: Iterable<readonly [string, string]>): [string, string][] => [...tags].map(([key, value]) => [`${TAG}${key}`, value]);

/** Carries out what changes say of tags. */
export async function applyTags(
  changes: Map<string, string | null>,
  { set, remove }: { set(tags: KeyValue[]): Promise<void>; remove(key: string): Promise<unknown> },
): Promise<void> {
  const tags: KeyValue[] = [];
  for (const [field, value] of changes) {
    if (!field.startsWith(TAG)) continue;
    const key = field.slice(TAG.length);
    if (value === null) await remove(key);
    else tags.push({ key, value });
  }
  await set(tags);
}

/** Params that are not here yet. One that is here with another value stays: its field is added to `kept`. */
export function newParams(here: ReadonlyMap<string, string>, there: KeyValue[], kept: string[]): KeyValue[] {
  for (const { key, value } of there) if (here.has(key) && here.get(key) !== value) kept.push(`param:${key}`);
  return there.filter(({ key }) => !here.has(key));
}
