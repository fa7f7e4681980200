import type { OutboxEvent } from '../../kernel/index.ts';
import type { StoreContext } from './engine.ts';

/** Events that were committed and not yet delivered: read at start, after a crash. */
export class OutboxStore {
  static readonly reads: ReadonlySet<string> = new Set(['pending']);
  static readonly scopes = { acknowledge: () => null };
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  async pending(): Promise<{ id: number; event: OutboxEvent }[]> {
    const rows = await this.#ctx.db.selectFrom('outbox').selectAll().orderBy('id').limit(10_000).execute();
    return rows.map((row) => ({ id: row.id, event: { type: row.type, payload: JSON.parse(row.payload) } as OutboxEvent }));
  }

  async acknowledge(ids: number[]): Promise<void> {
    if (ids.length > 0) await this.#ctx.db.deleteFrom('outbox').where('id', 'in', ids).execute();
  }
}
