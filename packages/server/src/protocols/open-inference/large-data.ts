import { cutLists, type Datatype, type LargeList, markOf } from '../../serving/index.ts';

/** Large lists that were taken out of a request's JSON. */
export class CutLists {
  readonly #lists: LargeList[];
  #used = 0;

  constructor(lists: LargeList[]) {
    this.#lists = lists;
  }

  /** True when every list has been asked for. */
  get allUsed(): boolean {
    return this.#used === this.#lists.length;
  }

  /** The list that a mark stands for, as floats; undefined for what is no mark, another datatype, or a list that is not `count` numbers, nested evenly and no deeper than `shape`. */
  take(mark: unknown, datatype: Datatype, shape: readonly number[], count: number): Float32Array | undefined {
    const list = this.#lists[this.#used];
    if (list === undefined || datatype !== 'FP32' || mark !== markOf(this.#used)) return undefined;
    this.#used++;
    return list.floats(count, Math.max(1, shape.length));
  }
}

/** Takes large lists of `data` out of a request's JSON, so that they can be read as what they are and the rest is small. Undefined when there is none. */
export function cutLargeData(body: Buffer): { text: string; lists: CutLists } | undefined {
  const cut = cutLists(body, 'data');
  return cut === undefined ? undefined : { text: cut.text, lists: new CutLists(cut.lists) };
}
