import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { type BinnacleError, conflict, invalid } from '../kernel/index.ts';

/** What a sender says that a body's digests are, in lower-case hex. */
export interface ExpectedChecksums {
  sha256?: string | undefined;
  md5?: string | undefined;
}

/** The same bytes; throws `invalid` (code `checksum_mismatch`) behind the last one when they are not those announced, so that a store keeps nothing. */
export async function* announcedBody(body: Uint8Array | AsyncIterable<Uint8Array>, path: string, expected: ExpectedChecksums): AsyncGenerator<Uint8Array> {
  const announced = Object.entries(expected).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const hashes = announced.map(([algorithm, digest]) => ({ algorithm, digest, hash: createHash(algorithm) }));
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    for (const { hash } of hashes) hash.update(chunk);
    yield chunk;
  }
  for (const { algorithm, digest, hash } of hashes) {
    const actual = hash.digest('hex');
    if (actual === digest) continue;
    const name = algorithm === 'md5' ? 'MD5' : 'SHA-256';
    throw invalid(
      'checksum_mismatch',
      `The ${name} of what arrived for ${JSON.stringify(path)} is ${actual}, not ${digest} as announced; nothing was stored. Send it again.`,
      { details: { path, expected: digest, actual } },
    );
  }
}

/** A file whose bytes are not those that were stored. A conflict, since no retry mends it. */
export const artifactCorrupted = (path: string, expected: string, actual: string): BinnacleError =>
  conflict(
    'artifact_corrupted',
    `${JSON.stringify(path)} is corrupted: its SHA-256 is ${actual}, and ${expected} was stored. It was damaged or changed behind the server's back; upload it again or restore it from a backup.`,
    { details: { path, expected, actual } },
  );

/** The same bytes; the last of them only when all are those that were stored, else the stream fails with `artifactCorrupted`. */
export function verifiedStream(stream: Readable, path: string, sha256: string, onCorrupted: (error: BinnacleError) => void): Readable {
  const hash = createHash('sha256');
  let held: Uint8Array | undefined;
  const verified = new Transform({
    readableHighWaterMark: 256 * 1024,
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      const before = held;
      held = chunk;
      done(null, before);
    },
    flush(done) {
      const actual = hash.digest('hex');
      if (actual === sha256) return done(null, held);
      const error = artifactCorrupted(path, sha256, actual);
      onCorrupted(error);
      done(error);
    },
  });
  // Closes the one when the other ends or breaks; whoever reads the result learns of errors.
  pipeline(stream, verified, () => {});
  return verified;
}
