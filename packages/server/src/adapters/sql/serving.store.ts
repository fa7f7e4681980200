import type { Selectable } from 'kysely';
import { conflict } from '../../kernel/index.ts';
import type { EndpointRecord, EndpointStore, ServedTarget } from '../../serving/index.ts';
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

export class SqlEndpointStore implements EndpointStore {
  // getEndpoint stays on the writer: it is asked right after a change.
  static readonly reads: ReadonlySet<string> = new Set(['listEndpoints']);
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

  async putEndpoint({ name, model, traffic, description, config }: Parameters<EndpointStore['putEndpoint']>[0]): Promise<EndpointRecord> {
    const { db } = this.#ctx;
    const now = this.#ctx.now();
    const old = await this.getEndpoint(name);
    if (old !== null && old.model !== model)
      throw conflict(
        'endpoint_model_fixed',
        `Endpoint '${name}' serves the model '${old.model}', and an endpoint serves one model. Delete it first, or deploy '${model}' under another name.`,
        { details: { model: old.model } },
      );
    const fields = {
      traffic: JSON.stringify(traffic),
      description: description ?? old?.description ?? '',
      config: JSON.stringify(config ?? old?.config ?? {}),
      // What is deployed is meant to be served.
      suspended: 0,
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
    await this.#ctx.emit({ type: 'endpoint.changed', payload: { endpoint: name, revision: old.revision + 1 } });
    return true;
  }

  async deleteEndpoint(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.#ctx.db.deleteFrom('endpoints').where('name', '=', name).executeTakeFirst();
    if (numDeletedRows === 0n) return false;
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
