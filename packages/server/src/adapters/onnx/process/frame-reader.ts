import { decode, decodeHead, type Frame, type Head, HEAD_BYTES } from './frame.ts';

/** Puts frames together from what a socket delivers; a tensor's bytes are copied once. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #part = new Uint8Array(HEAD_BYTES);
  #at = 0;
  #head: Head | undefined;
  #rest: Uint8Array | undefined;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Uint8Array): void {
    for (let from = 0; ; ) {
      const count = Math.min(this.#part.byteLength - this.#at, chunk.byteLength - from);
      this.#part.set(chunk.subarray(from, from + count), this.#at);
      this.#at += count;
      from += count;
      if (this.#at < this.#part.byteLength) return;
      this.#filled();
    }
  }

  /** Head, then text and numbers, then body. */
  #filled(): void {
    if (this.#head === undefined) {
      this.#head = decodeHead(this.#part);
      return this.#expect(this.#head.textBytes + this.#head.numbers * 8);
    }
    if (this.#rest === undefined) {
      this.#rest = this.#part;
      return this.#expect(this.#head.bodyBytes);
    }
    const frame = decode(this.#head, this.#rest, this.#part.buffer as ArrayBuffer);
    this.#head = undefined;
    this.#rest = undefined;
    this.#expect(HEAD_BYTES);
    this.#onFrame(frame);
  }

  #expect(bytes: number): void {
    this.#part = new Uint8Array(bytes);
    this.#at = 0;
  }
}
