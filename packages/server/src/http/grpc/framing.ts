import { type BinnacleError, exhausted } from '../../kernel/index.ts';
import { Intake } from '../data-plane/intake.ts';
import { Share } from '../data-plane/share.ts';
import { badMessage } from './status.ts';

/** One length-prefixed message of a stream. `release` gives its memory back to the pool; nothing may look at `bytes` (or a view of it) afterwards. */
export interface Message {
  compressed: boolean;
  /** A view of the frame that it came in, or memory of its own. */
  bytes: Buffer;
  release(): void;
}

export const PREFIX = 5;
const POOLED = 64 * 1024;
const ALIGNMENT = 64;
const nothing = (): void => {};

const tooLarge = (size: number, max: number): BinnacleError =>
  exhausted(
    'message_too_large',
    `Received message larger than max (${size} vs. ${max} bytes). Send smaller batches, or raise maxBodyBytes (BINNACLE_MAX_BODY_BYTES).`,
    { details: { maxBytes: max } },
  );

/**
 * Cuts a stream's DATA frames into messages (a byte of flags, four of length, the message). A small message that came in one frame is a view
 * of it; others are put together so that their *end* lies on a 64-byte boundary: raw tensors are the last field of Open Inference's requests,
 * and so the last of them is aligned for its datatype and need not be copied.
 */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #onMessage: (message: Message) => void;
  /** A prefix that came in two frames. */
  #prefix: Uint8Array<ArrayBuffer> | undefined;
  #prefixed = 0;
  #compressed = false;
  /** Bytes of the message that is being put together; -1: the prefix is. */
  #length = -1;
  #filled = 0;
  /** Of a small one. */
  #memory: Buffer | undefined;
  #start = 0;
  /** Of a large one. */
  #intake: Intake | undefined;
  #share: Share | undefined;
  /** Messages that have begun. */
  begun = 0;

  constructor(maxBytes: number, onMessage: (message: Message) => void) {
    this.#maxBytes = maxBytes;
    this.#onMessage = onMessage;
  }

  /** True between the first byte of a message and its last. */
  get partial(): boolean {
    return this.#prefixed > 0 || this.#length >= 0;
  }

  /** Bytes of the message that is under way; -1 between messages, and until its prefix is whole. */
  get length(): number {
    return this.#length;
  }

  /** Throws `exhausted` (message_too_large, bodies_full) and `invalid` (bad_message). */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#length === -1) {
        if (this.#prefixed === 0 && chunk.length - at >= PREFIX) {
          this.#begin(chunk[at] as number, chunk.readUInt32BE(at + 1));
          at += PREFIX;
        } else {
          this.#prefix ??= new Uint8Array(PREFIX);
          this.#prefix[this.#prefixed++] = chunk[at++] as number;
          if (this.#prefixed < PREFIX) continue;
          this.#prefixed = 0;
          this.#begin(this.#prefix[0] as number, new DataView(this.#prefix.buffer).getUint32(1));
        }
        const length = this.#length;
        if (length <= chunk.length - at && length < POOLED) {
          this.#length = -1;
          this.#onMessage({ compressed: this.#compressed, bytes: chunk.subarray(at, at + length), release: nothing });
          at += length;
          continue;
        }
        this.#allocate(length);
      }
      const part = Math.min(this.#length - this.#filled, chunk.length - at);
      if (this.#intake === undefined) chunk.copy(this.#memory as Buffer, this.#start + this.#filled, at, at + part);
      else {
        const full = this.#intake.add(chunk, at, at + part);
        if (full !== undefined) throw full;
      }
      this.#filled += part;
      at += part;
      if (this.#filled === this.#length) this.#emit();
    }
  }

  /** Gives back what a message that will never be whole has taken. */
  close(): void {
    this.#intake?.drop();
    this.#share?.give();
    this.#intake = undefined;
    this.#share = undefined;
    this.#memory = undefined;
  }

  #begin(flags: number, length: number): void {
    if (flags > 1) throw badMessage(`a message begins with the byte 0 or 1, not ${flags}: this is no gRPC framing`);
    if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes);
    this.#compressed = flags === 1;
    this.begun++;
    this.#length = length;
    this.#filled = 0;
  }

  #allocate(length: number): void {
    const over = length % ALIGNMENT;
    this.#start = over === 0 ? 0 : ALIGNMENT - over;
    if (length >= POOLED) {
      this.#share = new Share();
      this.#intake = new Intake(length, this.#start, this.#share);
      return;
    }
    this.#memory = Buffer.allocUnsafe(length + ALIGNMENT);
    // Small ones come from a pool of Node's, at any place in it.
    this.#start = (this.#start + ALIGNMENT - (this.#memory.byteOffset % ALIGNMENT)) % ALIGNMENT;
  }

  #emit(): void {
    const share = this.#share;
    const whole = this.#intake?.take();
    const bytes = whole?.bytes ?? (this.#memory as Buffer).subarray(this.#start, this.#start + this.#length);
    const release =
      whole === undefined
        ? nothing
        : () => {
            whole.release();
            share?.give();
          };
    this.#memory = undefined;
    this.#intake = undefined;
    this.#share = undefined;
    this.#length = -1;
    this.#onMessage({ compressed: this.#compressed, bytes, release });
  }
}

/** Below this a message is copied into one piece with its prefix: one frame is cheaper than two. */
const ONE_PIECE = 32 * 1024;

/** A message as it goes into the stream: in one piece when it is small, else the parts as they are behind the prefix. */
export function frameMessage(message: Uint8Array | readonly Uint8Array[], compressed = false): Uint8Array[] {
  const parts = message instanceof Uint8Array ? [message] : message;
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = size <= ONE_PIECE;
  const head = Buffer.allocUnsafe(whole ? PREFIX + size : PREFIX);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(size, 1);
  if (!whole) return [head, ...parts];
  let at = PREFIX;
  for (const part of parts) {
    head.set(part, at);
    at += part.length;
  }
  return [head];
}
