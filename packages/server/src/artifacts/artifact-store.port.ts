import type { Readable } from 'node:stream';

export interface ArtifactEntry {
  /** Relative to the store's root, '/'-separated. */
  path: string;
  isDirectory: boolean;
  /** Bytes; null for a directory. */
  size: number | null;
}

export interface OpenArtifact {
  stream: Readable;
  size: number;
  sha256: string | null;
}

export interface TransferLink {
  url: string;
  /** What the client must send along. */
  headers: Record<string, string>;
}

/** Links by which clients reach the store without this server between. */
export interface DirectTransfers {
  /** `not_found` when there is no such file. `disposition` is the Content-Disposition of the answer. */
  presignDownload(path: string, options: { expiresSeconds: number; disposition: string }): Promise<TransferLink & { size: number }>;
  presignUpload(path: string, options: { expiresSeconds: number }): Promise<TransferLink>;
  /** One link a part, in order. `invalid` for a number of parts that the store does not take. */
  createMultipart(path: string, parts: number): Promise<{ uploadId: string; links: TransferLink[] }>;
  /** Makes the file of its parts. Nothing is stored when they are more than maxBytes together (`exhausted`). Harmless when it is done already. */
  completeMultipart(path: string, uploadId: string, parts: { number: number; etag: string }[], options: { maxBytes: number }): Promise<void>;
  abortMultipart(path: string, uploadId: string): Promise<void>;
}

/** Files by path below one root. Paths are relative, '/'-separated and checked by the room before they come here; an adapter checks again. */
export interface ArtifactStore {
  /** Writes aside, syncs, then renames: a reader sees the old file or the new one. Throws `exhausted` when the body exceeds maxBytes or the disk is full. The chunks of a body that comes in chunks belong to the store, which may free their memory. `sha256` in hex. */
  put(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: { maxBytes?: number }): Promise<{ size: number; sha256: string }>;
  /**
   * The bytes, or an inclusive range of them, cut to the file's end (`invalid` when it starts behind it); `not_found` when there is no such file. `size` and
   * `sha256` (hex) are the whole file's, the latter as it was when it was stored; null when the store does not know it. Nothing is verified.
   */
  open(path: string, range?: { start: number; end?: number }): Promise<OpenArtifact>;
  stat(path: string): Promise<ArtifactEntry | undefined>;
  /** Direct children by name; [] when the folder does not exist. */
  list(path: string): Promise<ArtifactEntry[]>;
  /** Removes a file or a folder with all in it; nothing when it does not exist. */
  delete(path: string): Promise<void>;
  /**
   * A local path with the same content (the store's own file when it is local, a cached copy otherwise). Read only. What lies beside an ONNX file lies beside
   * this path, too: its weights may be there.
   */
  materialize(path: string): Promise<string>;
  /** Absent where the store can hand out no links. */
  readonly direct?: DirectTransfers;
  /** Ends what goes on in the background. */
  close?(): Promise<void>;
}
