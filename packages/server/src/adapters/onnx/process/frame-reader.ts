import { decode, decodeHead, type Frame, type Head, HEAD_BYTES } from './frame.ts';

/** More than any model's description, and than the shapes of any outputs. */
const MAX_TEXT_BYTES = 64 * 2 ** 20;
const MAX_NUMBERS = 2 ** 20;
/** Of a frame's tensors, unless the process has a limit of its own. */
const MAX_BODY_BYTES = 8 * 2 ** 30;

/** Puts frames together from what a socket delivers; a tensor's bytes are copied once. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #maxBodyBytes: number;
  #part = new Uint8Array(HEAD_BYTES);
  #at = 0;
  #head: Head | undefined;
  #rest: Uint8Array | undefined;

  constructor(onFrame: (frame: Frame) => void, maxBodyBytes = MAX_BODY_BYTES) {
    this.#onFrame = onFrame;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Throws for what is no frame, or claims to be longer than one can be; nothing can be read after that. */
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
      const { textBytes, numbers, bodyBytes } = this.#head;
      // Before memory is taken for them.
      if (textBytes > MAX_TEXT_BYTES || numbers > MAX_NUMBERS || !(Number.isSafeInteger(bodyBytes) && bodyBytes >= 0 && bodyBytes <= this.#maxBodyBytes))
        throw new Error(`a frame of ${textBytes} bytes of text, ${numbers} numbers and ${bodyBytes} bytes of values is beyond what one may have`);
      return this.#expect(textBytes + numbers * 8);
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
