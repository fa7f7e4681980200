import { randomUUID } from 'node:crypto';
import { isObject } from '../../kernel/index.ts';
import { floatsFromList, nestedFloats } from './read.ts';

/** A large list of numbers that was left out of a JSON text, so that it can be read as what it is. */
export class LargeList {
  readonly #body: Buffer;
  readonly #start: number;
  readonly #end: number;

  /** `start` and `end` are its brackets. */
  constructor(body: Buffer, start: number, end: number) {
    this.#body = body;
    this.#start = start;
    this.#end = end;
  }

  /** Undefined for what is not `count` numbers, nested evenly and at most `depth` deep. */
  floats(count: number, depth: number): Float32Array | undefined {
    return floatsFromList(this.#body, this.#start, this.#end, count, depth);
  }

  /** Undefined for what are no numbers, nested evenly. */
  nested(): { shape: number[]; values: Float32Array } | undefined {
    return nestedFloats(this.#body, this.#start, this.#end);
  }
}

/** Bodies and lists that are worth it; below, JSON.parse of the whole is as quick. */
const LARGE_BODY = 64 * 1024;
const LARGE_LIST = 16 * 1024;
/** Keys without a large list after which no more is looked for: a table of records has thousands, and nothing to be cut. */
const MOST_KEYS = 64;

const QUOTE = 34;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const BACKSLASH = 92;
const BRACE = 125;

const TOKEN = randomUUID();
/** What stands in the text for list `n`: no client can know it, so none can send it. */
export const markOf = (n: number): string => `${TOKEN} ${n}`;

/**
 * Takes large lists of numbers, flat or nested, out of JSON: those under one key, or those of all keys that a colon follows at once. What is left has a mark for
 * each. Undefined when there is none. A key cannot stand inside a string: its quotes would have to be escaped.
 */
export function cutLists(body: Buffer, key?: string): { text: string; lists: LargeList[] } | undefined {
  if (body.length < LARGE_BODY) return undefined;
  const lists: LargeList[] = [];
  const sought = key === undefined ? '":' : `"${key}"`;
  let text = '';
  let kept = 0;
  let others = 0;
  for (let at = body.indexOf(sought); at !== -1 && others < MOST_KEYS; at = body.indexOf(sought, Math.max(at + sought.length, kept))) {
    const start = startOfList(body, at, sought.length - (key === undefined ? 1 : 0));
    const end = start === -1 ? -1 : endOfList(body, start);
    if (end - start < LARGE_LIST) {
      others++;
      continue;
    }
    text += `${body.toString('utf8', kept, start)}"${markOf(lists.length)}"`;
    lists.push(new LargeList(body, start, end));
    kept = end + 1;
  }
  return lists.length === 0 ? undefined : { text: text + body.toString('utf8', kept), lists };
}

/** The lists by the names that they have in an object, or '' where one stands alone; undefined when there is anything else, or not each of them once. */
export function namedLists(value: unknown, lists: readonly LargeList[]): (readonly [string, LargeList])[] | undefined {
  const named = isObject(value) ? Object.entries(value) : [['', value] as const];
  if (named.length !== lists.length || named.some(([, mark], i) => mark !== markOf(i))) return undefined;
  return named.map(([name], i) => [name, lists[i] as LargeList] as const);
}

/** The bracket behind a key at `at` of so many bytes, and its colon; -1 when it is no key, or none of a list. */
function startOfList(body: Buffer, at: number, size: number): number {
  if (body[at - 1] === BACKSLASH) return -1;
  const colon = afterSpace(body, at + size);
  if (body[colon] !== COLON) return -1;
  const start = afterSpace(body, colon + 1);
  return body[start] === OPEN ? start : -1;
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
