import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { startCrowd, type WriterMaker } from './crowd.ts';
import { seeded } from './seeded.ts';

/** The files below a folder, by path. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

/**
 * Kills the server under writers at random moments, and starts it anew on the same data; throws unless after each start and in the end every acknowledged
 * write is there once, nothing is half there, and nothing is left over.
 */
export async function killAndVerify(kills: number, makers: WriterMaker[], between: [least: number, most: number]): Promise<void> {
  const { random, seed } = seeded();
  const data = temporaryFolder('kill');
  let server: RunningServer | undefined;
  let gate = Promise.withResolvers<string>();
  const crowd = startCrowd(makers, { write: () => gate.promise, read: () => server?.url ?? '' });
  try {
    for (let round = 0; round < kills; round++) {
      server = await startServer({ data });
      // Nothing of the uploads that the kill cut short stays.
      expect(readdirSync(join(data, 'artifacts', '.uploads'))).toEqual([]);
      await crowd.verify(round);
      gate.resolve(server.url);
      await sleep(between[0] + random() * (between[1] - between[0]));
      gate = Promise.withResolvers<string>();
      await server.stop('SIGKILL');
    }
    server = await startServer({ data });
    gate.resolve(server.url);
    await crowd.stop();
    const found = await crowd.verify();
    expect(found).toBeGreaterThan(makers.length);
    expect(server.stderr()).not.toMatch(/"level":(50|60)/);
    expect(await server.stop()).toBe(0);
    const db = new DatabaseSync(join(data, 'binnacle.db'), { readOnly: true });
    expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(db.prepare('pragma foreign_key_check').all()).toEqual([]);
    db.close();
    const files = filesBelow(join(data, 'artifacts'));
    const kept = new Set(files.filter((file) => !file.startsWith('.')));
    // Each file in the store is one that was uploaded, and each checksum belongs to one of them.
    expect(files.filter((file) => file.startsWith('.') && !kept.has(file.replace(/^\.checksums\//, '')))).toEqual([]);
    expect(readdirSync(data).filter((name) => !/^(binnacle\.db(-wal|-shm)?|artifacts|monitoring|cache|batch|tables|owner\.lock)$/.test(name))).toEqual([]);
    console.log(`${kills} kills (seed ${seed}): ${crowd.acknowledged()} writes acknowledged; unanswered: ${JSON.stringify(Object.fromEntries(crowd.seen))}`);
  } catch (error) {
    throw new Error(`after kill -9 at moments of seed ${seed} (BINNACLE_SEED): ${String(error)}`, { cause: error });
  } finally {
    gate.resolve(server?.url ?? '');
    await crowd.stop().catch(() => {});
    await server?.stop('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  }
}
