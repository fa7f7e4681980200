import type { ImportMarks } from '../../transfer/index.ts';
import type { StoreContext } from './engine.ts';
import { finishMarks, listMarks } from './imports/marks.ts';

/** See `ImportMarks` for what each method promises. */
export class SqlTransferStore implements ImportMarks {
  static readonly reads: ReadonlySet<string> = new Set<keyof ImportMarks>(['known']);
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  known(kind: string, ids: string[]) {
    return listMarks(this.#ctx.db, kind, ids);
  }
  finish(kind: string, done: { id: string; digest: string }[]) {
    return finishMarks(this.#ctx.db, kind, done);
  }
}
