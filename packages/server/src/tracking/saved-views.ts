import { invalid } from '../kernel/index.ts';
import type { SavedViewRecord, SavedViewStore } from './saved-views.port.ts';

/** Bytes of a view's state as JSON; a link holds less. */
const MOST_STATE = 50_000;
const MOST_NAME = 200;
/** Of one experiment. */
const MOST_VIEWS = 200;

export type SavedViews = ReturnType<typeof createSavedViews>;

/** Views of the runs table and of comparisons, kept by name with their experiment. */
export function createSavedViews(store: SavedViewStore) {
  return {
    list: (experimentId: string): Promise<SavedViewRecord[]> => store.listViews(experimentId),
    async put(view: Pick<SavedViewRecord, 'experimentId' | 'name' | 'page' | 'state'>, revision?: number): Promise<SavedViewRecord> {
      checkName(view.name);
      const size = Buffer.byteLength(JSON.stringify(view.state));
      if (size > MOST_STATE)
        throw invalid(
          'view_too_large',
          `The view '${view.name}' is ${size} bytes of JSON, the limit is ${MOST_STATE}. Show fewer columns or tick fewer runs.`,
          {
            details: { size, limit: MOST_STATE },
          },
        );
      return store.putView(view, revision ?? null, MOST_VIEWS);
    },
    async update(experimentId: string, name: string, change: { name?: string | undefined; isDefault?: boolean | undefined }): Promise<SavedViewRecord> {
      if (change.name !== undefined) checkName(change.name);
      return store.updateView(experimentId, name, {
        ...(change.name === undefined ? {} : { name: change.name }),
        ...(change.isDefault === undefined ? {} : { isDefault: change.isDefault }),
      });
    },
    delete: (experimentId: string, name: string): Promise<boolean> => store.deleteView(experimentId, name),
  };
}

function checkName(name: string): void {
  if (name.trim() !== name || name === '' || name.length > MOST_NAME)
    throw invalid(
      'invalid_view_name',
      `A view's name has 1 to ${MOST_NAME} characters and no space at either end. Given: ${JSON.stringify(name.slice(0, 300))}`,
    );
  if (!name.isWellFormed() || /\p{Cc}/u.test(name))
    throw invalid('invalid_view_name', `A view's name is Unicode text without control characters. Given: ${JSON.stringify(name)}`);
}
