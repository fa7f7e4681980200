import type { BinnacleError } from '../../kernel/index.ts';
import { giveSlab, takeSlab } from './body-pool.ts';
import type { Share } from './share.ts';

/**
 * With what lies before the body, a slab of 64 KiB at first, of 4 MiB once more comes, and of four times as much each time that it is full: little is
 * held in vain, and what has to be copied costs bodies of some megabytes nothing.
 */
const FIRST = 2 ** 16 - 64;
const SECOND = 2 ** 22 - 64;
const GROWTH = 4;

/** Memory for a body whose length was announced, taken as it comes: who announces much and sends little holds little. */
export class Intake {
  readonly #length: number;
  readonly #start: number;
  readonly #share: Share | undefined;
  #slab: Buffer | undefined;
  /** Bytes of the body that the slab has room for. */
  #room = 0;
  #size = 0;

  /** `start`: where in its buffer the body is to begin. `share`: what pays for it, and is the caller's to give back; undefined for what is not worth counting. */
  constructor(length: number, start: number, share: Share | undefined) {
    this.#length = length;
    this.#start = start;
    this.#share = share;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes over bytes `from` to `to` of a chunk, which fit into the length. The error when there is no room for them. */
  add(chunk: Buffer, from = 0, to = chunk.length): BinnacleError | undefined {
    const size = this.#size + to - from;
    const full = this.#slab === undefined || size > this.#room ? this.#grow(size) : undefined;
    if (full !== undefined) return full;
    chunk.copy(this.#slab as Buffer, this.#start + this.#size, from, to);
    this.#size = size;
    return undefined;
  }

  #grow(size: number): BinnacleError | undefined {
    const room = Math.min(this.#length, Math.max(size, this.#room === 0 ? FIRST : Math.max(SECOND, GROWTH * this.#room)));
    const full = this.#share?.take(room - this.#room);
    if (full !== undefined) return full;
    const before = this.#slab;
    this.#slab = takeSlab(this.#start + room);
    this.#room = room;
    if (before === undefined) return undefined;
    before.copy(this.#slab, this.#start, this.#start, this.#start + this.#size);
    giveSlab(before);
    return undefined;
  }

  /** What has come, in one piece; it is the caller's now, and `release` gives its memory back. */
  take(): { bytes: Buffer; release(): void } {
    const slab = this.#slab ?? takeSlab(this.#start);
    this.#slab = undefined;
    return {
      bytes: slab.subarray(this.#start, this.#start + this.#size),
      release: () => giveSlab(slab),
    };
  }

  /** Gives back what a body that will never be whole has taken. */
  drop(): void {
    if (this.#slab === undefined) return;
    giveSlab(this.#slab);
    this.#slab = undefined;
  }
}
