import type { Selectable } from 'kysely';
import { conflict, notFound } from '../../kernel/index.ts';
import type { SavedViewRecord, SavedViewStore } from '../../tracking/index.ts';
import type { StoreClass, StoreContext } from './engine.ts';
import type { SavedViewsTable } from './schema/views.ts';
import { loadActiveExperiment, loadExperiment } from './tracking/experiments.ts';

type Row = Selectable<SavedViewsTable>;
type Args<M extends keyof SavedViewStore> = Parameters<SavedViewStore[M]>;

const toRecord = (row: Row): SavedViewRecord => ({
  experimentId: String(row.experiment_id),
  name: row.name,
  page: row.page as SavedViewRecord['page'],
  state: JSON.parse(row.state) as Record<string, unknown>,
  isDefault: row.is_default === 1,
  revision: Number(row.revision),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});
const ofExperiment = (id: string) => `views ${id}`;

/** See `SavedViewStore` for what each method promises. */
export class SqlSavedViewStore implements SavedViewStore {
  static readonly reads: ReadonlySet<string> = new Set<keyof SavedViewStore>(['listViews']);
  static readonly scopes: StoreClass['scopes'] = {
    putView: ({ experimentId }: Args<'putView'>[0]) => ofExperiment(experimentId),
    updateView: ofExperiment,
    deleteView: ofExperiment,
  };
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  async listViews(experimentId: string): Promise<SavedViewRecord[]> {
    const { id } = await loadExperiment(this.#ctx.db, experimentId);
    const rows = await this.#ctx.db.selectFrom('saved_views').selectAll().where('experiment_id', '=', id).orderBy('name').execute();
    return rows.map(toRecord);
  }

  async putView(...[view, revision, most]: Args<'putView'>): Promise<SavedViewRecord> {
    const { db } = this.#ctx;
    const { id } = await loadActiveExperiment(db, view.experimentId);
    const old = await this.#find(id, view.name);
    const stored = old === undefined ? 0 : Number(old.revision);
    if (revision !== null && revision !== stored)
      throw conflict(
        'view_changed',
        stored === 0
          ? `The view '${view.name}' is gone: somebody deleted or renamed it. Save yours under a name of its own.`
          : revision === 0
            ? `There is a view '${view.name}' already. Choose another name, or replace that one.`
            : `Somebody else has changed the view '${view.name}' meanwhile. Open it again, or save yours under another name.`,
        { details: { revision: stored } },
      );
    const now = this.#ctx.now();
    const fields = { page: view.page, state: JSON.stringify(view.state), revision: stored + 1, updated_at: now };
    if (old === undefined) {
      const { n } = await db
        .selectFrom('saved_views')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .where('experiment_id', '=', id)
        .executeTakeFirstOrThrow();
      if (Number(n) >= most) throw conflict('too_many_views', `The experiment ${id} has ${most} saved views, and no more are kept. Delete some first.`);
      await db
        .insertInto('saved_views')
        .values({ ...fields, experiment_id: id, name: view.name, is_default: 0, created_at: now })
        .execute();
    } else {
      await db
        .updateTable('saved_views')
        .set({ ...fields, is_default: view.page === 'runs' ? old.is_default : 0 })
        .where('experiment_id', '=', id)
        .where('name', '=', view.name)
        .execute();
    }
    return toRecord((await this.#find(id, view.name)) as Row);
  }

  async updateView(...[experimentId, name, change]: Args<'updateView'>): Promise<SavedViewRecord> {
    const { db } = this.#ctx;
    const { id } = await loadActiveExperiment(db, experimentId);
    const old = await this.#find(id, name);
    if (old === undefined) throw notFound('view_not_found', `The experiment ${id} has no view '${name}'.`);
    const renamed = change.name ?? name;
    if (renamed !== name && (await this.#find(id, renamed)) !== undefined)
      throw conflict('view_exists', `There is a view '${renamed}' already. Choose another name, or delete that one first.`);
    const isDefault = change.isDefault === undefined ? old.is_default : change.isDefault && old.page === 'runs' ? 1 : 0;
    if (isDefault === 1) await db.updateTable('saved_views').set({ is_default: 0 }).where('experiment_id', '=', id).where('is_default', '=', 1).execute();
    await db
      .updateTable('saved_views')
      .set({ name: renamed, is_default: isDefault, revision: Number(old.revision) + 1, updated_at: this.#ctx.now() })
      .where('experiment_id', '=', id)
      .where('name', '=', name)
      .execute();
    return toRecord((await this.#find(id, renamed)) as Row);
  }

  async deleteView(...[experimentId, name]: Args<'deleteView'>): Promise<boolean> {
    const { db } = this.#ctx;
    const { id } = await loadExperiment(db, experimentId);
    const { numDeletedRows } = await db.deleteFrom('saved_views').where('experiment_id', '=', id).where('name', '=', name).executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  #find(experiment: number, name: string): Promise<Row | undefined> {
    return this.#ctx.db.selectFrom('saved_views').selectAll().where('experiment_id', '=', experiment).where('name', '=', name).executeTakeFirst();
  }
}
