import { ByteReader, ByteWriter } from './bytes.ts';
import { CategorySketch } from './category-sketch.ts';
import { LogSketch } from './log-sketch.ts';
import { NumericSketch } from './numeric-sketch.ts';

export type Sketch = NumericSketch | LogSketch | CategorySketch;
export type Role = 'feature' | 'output';
export interface ProfileEntry {
  role: Role;
  name: string;
  sketch: Sketch;
}

const FORMAT = 1;
const KINDS = ['numeric', 'log', 'categorical'] as const;

/**
 * The sketches of one bucket of time by role, name and layout. Two layouts of one feature (the baseline came later, or changed) live
 * side by side and are brought together by a reader who knows the layouts; so merging is only addition.
 */
export class ProfileSet {
  readonly #entries = new Map<string, ProfileEntry>();

  get entries(): Iterable<ProfileEntry> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The sketches of one feature or output, one a layout. */
  of(role: Role, name: string): Sketch[] {
    const found: Sketch[] = [];
    for (const entry of this.#entries.values()) if (entry.role === role && entry.name === name) found.push(entry.sketch);
    return found;
  }

  /** Adds a sketch, or adds its counts to the one of the same name and layout. Keeps (and later changes) the object given. */
  put(role: Role, name: string, sketch: Sketch): void {
    const key = `${role}\0${name}\0${sketch.kind}\0${sketch.layoutId}`;
    const mine = this.#entries.get(key);
    if (mine === undefined) this.#entries.set(key, { role, name, sketch });
    else mergeSketch(mine.sketch, sketch);
  }

  merge(other: ProfileSet): void {
    for (const { role, name, sketch } of other.entries) this.put(role, name, sketch);
  }

  /** Names and counts in a compact binary form, about 100 to 400 bytes a feature. */
  encode(): Uint8Array {
    const out = new ByteWriter();
    out.byte(FORMAT);
    out.varint(this.#entries.size);
    for (const { role, name, sketch } of this.#entries.values()) {
      out.byte(KINDS.indexOf(sketch.kind) * 2 + (role === 'output' ? 1 : 0));
      out.string(name);
      out.varint(sketch.layoutId);
      sketch.encode(out);
    }
    return out.finish();
  }

  /** Throws RangeError for bytes that `encode` did not write. */
  static decode(bytes: Uint8Array): ProfileSet {
    const set = new ProfileSet();
    const input = new ByteReader(bytes);
    const format = input.byte();
    if (format !== FORMAT) throw new RangeError(`unknown profile format ${format}`);
    for (let left = input.varint(); left > 0; left--) {
      const tag = input.byte();
      const name = input.string();
      const layoutId = input.varint();
      set.put(tag % 2 === 1 ? 'output' : 'feature', name, decodeSketch(KINDS[tag >> 1], input, layoutId));
    }
    return set;
  }
}

function decodeSketch(kind: Sketch['kind'] | undefined, input: ByteReader, layoutId: number): Sketch {
  if (kind === 'numeric') return NumericSketch.decode(input, layoutId);
  if (kind === 'log') return LogSketch.decode(input);
  if (kind === 'categorical') return CategorySketch.decode(input);
  throw new RangeError('unknown kind of sketch');
}

function mergeSketch(into: Sketch, from: Sketch): void {
  if (into.kind === 'numeric' && from.kind === 'numeric') into.merge(from);
  else if (into.kind === 'log' && from.kind === 'log') into.merge(from);
  else if (into.kind === 'categorical' && from.kind === 'categorical') into.merge(from);
}

/** Adds two encoded profiles (null is an empty one): what a store does when a bucket is there already. */
export function mergeEncodedProfiles(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b;
  const set = ProfileSet.decode(a);
  set.merge(ProfileSet.decode(b));
  return set.encode();
}
