import { isDeepStrictEqual } from 'node:util';
import type { Selectable } from 'kysely';
import { conflict } from '../../kernel/index.ts';
import type { EndpointChange, EndpointRecord, EndpointStore, ServedTarget } from '../../serving/index.ts';
import type { StoreContext } from './engine.ts';
import type { EndpointsTable } from './schema/serving.ts';

function toRecord(row: Selectable<EndpointsTable>): EndpointRecord {
  return {
    name: row.name,
    model: row.model,
    description: row.description,
    traffic: JSON.parse(row.traffic),
    lastServed: JSON.parse(row.last_served),
    config: row.config === null ? {} : JSON.parse(row.config),
    suspended: Number(row.suspended ?? 0) === 1,
    revision: Number(row.revision),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}

type Traffic = EndpointRecord['traffic'];

function sameTraffic(a: Traffic, b: Traffic): boolean {
  const plain = (traffic: Traffic): string[] =>
    traffic.map(({ version, alias, weight, shadow }) => JSON.stringify([version ?? null, alias ?? null, weight, shadow])).sort();
  return isDeepStrictEqual(plain(a), plain(b));
}

/** Changes of an endpoint that are kept. */
const KEPT_CHANGES = 200;

export class SqlEndpointStore implements EndpointStore {
  // getEndpoint stays on the writer: it is asked right after a change.
  static readonly reads: ReadonlySet<string> = new Set(['listEndpoints', 'listChanges']);
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  async listEndpoints(): Promise<EndpointRecord[]> {
    return (await this.#ctx.db.selectFrom('endpoints').selectAll().orderBy('name').execute()).map(toRecord);
  }

  async getEndpoint(name: string): Promise<EndpointRecord | null> {
    const row = await this.#ctx.db.selectFrom('endpoints').selectAll().where('name', '=', name).executeTakeFirst();
    return row === undefined ? null : toRecord(row);
  }

  async putEndpoint({ name, model, traffic, description, config, change, ifRevision }: Parameters<EndpointStore['putEndpoint']>[0]): Promise<EndpointRecord> {
    const { db } = this.#ctx;
    const now = this.#ctx.now();
    const old = await this.getEndpoint(name);
    if (old !== null && old.model !== model)
      throw conflict(
        'endpoint_model_fixed',
        `Endpoint '${name}' serves the model '${old.model}', and an endpoint serves one model. Delete it first, or deploy '${model}' under another name.`,
        { details: { model: old.model } },
      );
    if (ifRevision !== undefined && old?.revision !== ifRevision)
      throw conflict('endpoint_changed', `Endpoint '${name}' has been changed in the meantime. Look at it again, and repeat the change if it still holds.`);
    const fields = {
      traffic: JSON.stringify(traffic),
      description: description ?? old?.description ?? '',
      config: JSON.stringify(config ?? old?.config ?? {}),
      // What is deployed is meant to be served; another configuration of what was unloaded is not.
      suspended: old !== null && old.suspended && sameTraffic(old.traffic, traffic) ? 1 : 0,
      updated_at: now,
    };
    if (old === null)
      await db
        .insertInto('endpoints')
        .values({ ...fields, name, model, last_served: '[]', revision: 1, created_at: now })
        .execute();
    else
      await db
        .updateTable('endpoints')
        .set({ ...fields, revision: old.revision + 1 })
        .where('name', '=', name)
        .execute();
    const record = (await this.getEndpoint(name)) as EndpointRecord;
    await this.#remember(record, change?.kind ?? 'deployed', change?.reason ?? '');
    await this.#ctx.emit({ type: 'endpoint.changed', payload: { endpoint: name, revision: record.revision } });
    return record;
  }

  async setSuspended(name: string, suspended: boolean): Promise<boolean> {
    const old = await this.getEndpoint(name);
    if (old === null) return false;
    if (old.suspended === suspended) return true;
    await this.#ctx.db
      .updateTable('endpoints')
      .set({ suspended: suspended ? 1 : 0, revision: old.revision + 1, updated_at: this.#ctx.now() })
      .where('name', '=', name)
      .execute();
    await this.#remember({ ...old, revision: old.revision + 1 }, suspended ? 'unloaded' : 'loaded', '');
    await this.#ctx.emit({ type: 'endpoint.changed', payload: { endpoint: name, revision: old.revision + 1 } });
    return true;
  }

  async #remember({ name, revision, traffic }: EndpointRecord, kind: EndpointChange['kind'], reason: string): Promise<void> {
    const { db } = this.#ctx;
    await db
      .insertInto('endpoint_changes')
      .values({ endpoint: name, revision, kind, reason, traffic: JSON.stringify(traffic), at: this.#ctx.now() })
      .execute();
    await db
      .deleteFrom('endpoint_changes')
      .where('endpoint', '=', name)
      .where('revision', '<=', revision - KEPT_CHANGES)
      .execute();
  }

  async listChanges(name: string, limit: number): Promise<EndpointChange[]> {
    const rows = await this.#ctx.db.selectFrom('endpoint_changes').selectAll().where('endpoint', '=', name).orderBy('revision', 'desc').limit(limit).execute();
    return rows.map(({ revision, kind, reason, traffic, at }) => ({
      revision: Number(revision),
      kind: kind as EndpointChange['kind'],
      reason,
      traffic: JSON.parse(traffic),
      at: Number(at),
    }));
  }

  async deleteEndpoint(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.#ctx.db.deleteFrom('endpoints').where('name', '=', name).executeTakeFirst();
    if (numDeletedRows === 0n) return false;
    await this.#ctx.db.deleteFrom('endpoint_changes').where('endpoint', '=', name).execute();
    await this.#ctx.emit({ type: 'endpoint.deleted', payload: { endpoint: name } });
    return true;
  }

  async setLastServed(name: string, served: ServedTarget[]): Promise<void> {
    await this.#ctx.db
      .updateTable('endpoints')
      .set({ last_served: JSON.stringify(served) })
      .where('name', '=', name)
      .execute();
  }
}
