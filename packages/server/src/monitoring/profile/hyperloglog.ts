import type { ByteReader, ByteWriter } from './bytes.ts';
import { hash32 } from './hash.ts';

const P = 12;
const M = 1 << P;
const ALPHA = 0.7213 / (1 + 1.079 / M);

/**
 * Distinct count in 4 KB (Flajolet et al. 2007, p = 12, standard error 1.04/sqrt(4096) = 1.6 %), with linear counting for few values.
 * Merging takes the maximum of each register: associative, commutative, idempotent.
 */
export class HyperLogLog {
  readonly #registers: Uint8Array;

  constructor(registers: Uint8Array = new Uint8Array(M)) {
    this.#registers = registers;
  }

  add(value: string): void {
    const slot = hash32(value) >>> (32 - P);
    const rank = Math.clz32(hash32(value, 0x9e3779b9)) + 1;
    if (rank > (this.#registers[slot] ?? 0)) this.#registers[slot] = rank;
  }

  merge(other: HyperLogLog): void {
    for (let i = 0; i < M; i++) {
      const theirs = other.#registers[i] ?? 0;
      if (theirs > (this.#registers[i] ?? 0)) this.#registers[i] = theirs;
    }
  }

  estimate(): number {
    let sum = 0;
    let zeros = 0;
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) zeros++;
    }
    const raw = (ALPHA * M * M) / sum;
    return Math.round(raw <= 2.5 * M && zeros > 0 ? M * Math.log(M / zeros) : raw);
  }

  /** Six bits a register would be smaller; a run of zeros is what matters for small counts. */
  encode(out: ByteWriter): void {
    const filled = this.#registers.reduce((count, rank) => count + (rank > 0 ? 1 : 0), 0);
    if (filled * 2 >= M) {
      out.byte(1);
      out.raw(this.#registers);
      return;
    }
    out.byte(0);
    out.varint(filled);
    let previous = -1;
    this.#registers.forEach((rank, slot) => {
      if (rank === 0) return;
      out.varint(slot - previous);
      out.byte(rank);
      previous = slot;
    });
  }

  static decode(input: ByteReader): HyperLogLog {
    if (input.byte() === 1) return new HyperLogLog(input.raw(M).slice());
    const registers = new Uint8Array(M);
    let slot = -1;
    for (let left = input.varint(); left > 0; left--) {
      slot += input.varint();
      registers[slot] = input.byte();
    }
    return new HyperLogLog(registers);
  }
}
