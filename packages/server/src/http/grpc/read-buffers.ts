/** What is smaller is left to the garbage collector. */
const WORTH = 16 * 1024;

/**
 * Frees the buffers of a connection's reads, whose frames are slices of them, as soon as nobody needs them: V8 counts their memory as its own,
 * and large tensors would make it mark its whole heap for every few dozen messages.
 *
 * Node itself goes on reading from a buffer while a write is under way, so that one is free only when a frame of the next has come, and then only
 * if every frame of it was copied on arrival: a small message that is a view of one keeps it, and a stream that lets frames wait (`keep`)
 * keeps all of its connection meanwhile.
 */
export class ReadBuffers {
  #current: ArrayBufferLike | undefined;
  #viewed = false;
  /** Streams whose frames wait. */
  #waiting = 0;

  /** A frame has come, and is looked at now. */
  arrived(chunk: Uint8Array): void {
    const { buffer } = chunk;
    if (buffer === this.#current) return;
    const before = this.#current;
    this.#current = buffer;
    if (!this.#viewed && before instanceof ArrayBuffer && !before.detached && before.byteLength >= WORTH) before.transfer(0);
    this.#viewed = this.#waiting > 0;
  }

  /** Whether these bytes are a view of the current buffer. */
  holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#current;
  }

  /** A view of the current buffer outlives the frame's arrival. */
  viewed(): void {
    this.#viewed = true;
  }

  /** Frames of a stream wait from now on, until what this returns is called: its frames flow again then, within the turn. */
  keep(): () => void {
    this.#waiting++;
    this.#viewed = true;
    let kept = true;
    return () => {
      if (!kept) return;
      kept = false;
      setImmediate(() => this.#waiting--);
    };
  }
}
