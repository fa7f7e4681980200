import { type Datatype, floatsFromList } from '../../serving/index.ts';

/** Large lists that were taken out of a request's JSON. */
export class CutLists {
  readonly #body: Buffer;
  /** Their brackets. */
  readonly #cuts: { start: number; end: number }[];
  #used = 0;

  constructor(body: Buffer, cuts: { start: number; end: number }[]) {
    this.#body = body;
    this.#cuts = cuts;
  }

  /** True when every list has been asked for. */
  get allUsed(): boolean {
    return this.#used === this.#cuts.length;
  }

  /** The list that a mark stands for, as floats; undefined for what is no mark, another datatype, or a list that is not `count` numbers, nested evenly and no deeper than `shape`. */
  take(mark: unknown, datatype: Datatype, shape: readonly number[], count: number): Float32Array | undefined {
    const cut = this.#cuts[this.#used];
    if (cut === undefined || datatype !== 'FP32' || mark !== `\0${this.#used}`) return undefined;
    this.#used++;
    return floatsFromList(this.#body, cut.start, cut.end, count, Math.max(1, shape.length));
  }
}

/** Bodies and lists that are worth it; below, JSON.parse of the whole is as quick. */
const LARGE_BODY = 64 * 1024;
const LARGE_LIST = 16 * 1024;

const QUOTE = 34;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const BACKSLASH = 92;
const BRACE = 125;

/**
 * Takes large lists of numbers in `data`, flat or nested, out of a request's JSON, so that they can be read as what they are and the rest is small. What is left has a
 * mark for each. Undefined when there is none. A key cannot stand inside a string: its quotes would have to be escaped.
 */
export function cutLargeData(body: Buffer): { text: string; lists: CutLists } | undefined {
  if (body.length < LARGE_BODY) return undefined;
  const cuts: { start: number; end: number }[] = [];
  let text = '';
  let kept = 0;
  for (let at = body.indexOf('"data"'); at !== -1; at = body.indexOf('"data"', Math.max(at + 6, kept))) {
    if (body[at - 1] === BACKSLASH) continue;
    let start = afterSpace(body, at + 6);
    if (body[start] !== COLON) continue;
    start = afterSpace(body, start + 1);
    if (body[start] !== OPEN) continue;
    const end = endOfList(body, start);
    if (end - start < LARGE_LIST) continue;
    text += `${body.toString('utf8', kept, start)}"\\u0000${cuts.length}"`;
    cuts.push({ start, end });
    kept = end + 1;
  }
  return cuts.length === 0 ? undefined : { text: text + body.toString('utf8', kept), lists: new CutLists(body, cuts) };
}

/** The last bracket before whatever no list of numbers holds: a key, or the end of the object that the list is in. Before `start` when there is none. */
function endOfList(body: Buffer, start: number): number {
  const key = body.indexOf(QUOTE, start);
  const rest = body.subarray(start, key === -1 ? body.length : key);
  const brace = rest.indexOf(BRACE);
  return start + (brace === -1 ? rest : rest.subarray(0, brace)).lastIndexOf(CLOSE);
}

function afterSpace(body: Buffer, from: number): number {
  let at = from;
  for (let byte = body[at]; byte === 32 || byte === 10 || byte === 13 || byte === 9; byte = body[at]) at++;
  return at;
}
