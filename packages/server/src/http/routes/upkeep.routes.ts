import { Readable } from 'node:stream';
import type { upkeepOperations } from '@binnacle/contract';
import type { Backup, GarbageCollector } from '../../upkeep/index.ts';
import { type Handlers, RawReply } from '../handlers.ts';

export interface UpkeepDeps {
  backup: () => Promise<Backup>;
  garbage: GarbageCollector;
}

export const upkeepHandlers = ({ backup, garbage }: UpkeepDeps): Handlers<typeof upkeepOperations> => ({
  collectGarbage: ({ body }) => garbage.collect(body.olderThanSeconds, body.dryRun),
  async createBackup() {
    const { stream, close } = await backup();
    const body = Readable.from(stream, { objectMode: false });
    // Read to its end, broken off or never read: what was set aside goes.
    body.once('close', () => void close());
    return new RawReply(body, { 'content-type': 'application/x-tar', 'content-disposition': 'attachment; filename="binnacle-backup.tar"' });
  },
});
