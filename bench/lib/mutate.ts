/** Breaks requests at random, the same way for the same seed. */
export class Mutator {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** xorshift32, uniform in [0, 1). */
  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Some bytes flipped, cut out, doubled, put in; or the end missing. */
  bytes(input: Buffer): Buffer {
    let out: Buffer = Buffer.from(input);
    for (let i = 0, times = 1 + this.below(4); i < times && out.length > 0; i++) {
      const at = this.below(out.length);
      const size = Math.min(out.length - at, 1 + this.below(8));
      const kind = this.below(5);
      if (kind === 0) out[at] = this.below(256);
      else if (kind === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + size)]);
      else if (kind === 2) out = Buffer.concat([out.subarray(0, at), out.subarray(at, at + size), out.subarray(at)]);
      else if (kind === 3) out = Buffer.concat([out.subarray(0, at), Buffer.from(Array.from({ length: size }, () => this.below(256))), out.subarray(at)]);
      else out = out.subarray(0, at);
    }
    return out;
  }

  /** A value somewhere in a JSON document replaced, taken out, renamed or doubled. */
  json(document: unknown): unknown {
    const copy = structuredClone(document);
    const places: { of: Record<string, unknown> | unknown[]; key: string | number }[] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
        places.push({ of: value as Record<string, unknown>, key });
        walk((value as Record<string, unknown>)[key]);
      }
    };
    walk(copy);
    for (let i = 0, times = 1 + this.below(3); i < times && places.length > 0; i++) {
      const { of, key } = this.pick(places);
      const kind = this.below(4);
      if (kind === 0) (of as Record<string, unknown>)[key] = this.pick(VALUES);
      else if (kind === 3) (of as Record<string, unknown>)[key] = nested(this.pick(VALUES), this.below(40));
      else if (Array.isArray(of)) of.splice(Number(key), 1, ...(kind === 1 ? [] : [of[Number(key)], of[Number(key)]]));
      else if (kind === 1) delete of[key];
      else of[this.pick(KEYS)] = of[key];
    }
    return copy;
  }
}

const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'name',
  'shape',
  'data',
  'datatype',
  'parameters',
  'inputs',
  'instances',
  '\u0000',
  '😀',
  'x'.repeat(5000),
];
const NUMBERS = [0, -0, 1, -1, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, Number.MAX_VALUE];
const TEXTS = ['', 'x', '0', 'NaN', '__proto__', '\ud800', '\u0000', '../../etc/passwd', '%00', 'FP32', 'BYTES', 'BF16', 'x'.repeat(10_000)];
const LISTS = [[], [[]], [null], [-1, -1], [2 ** 31, 2 ** 31], [1e9, 1e9, 1e9]];
const OBJECTS = [{}, { b64: '!!' }, { b64: 'AAAA' }, { binary_data_size: -1 }, { binary_data_size: 1e18 }];
const VALUES: unknown[] = [null, true, false, ...NUMBERS, ...TEXTS, ...LISTS, ...OBJECTS];
const nested = (value: unknown, depth: number): unknown =>
  depth === 0 ? value : depth % 2 === 0 ? [nested(value, depth - 1)] : { data: nested(value, depth - 1) };
