import { z } from 'zod';
import { operation } from './operation.ts';

export const upkeepOperations = {
  createBackup: operation({
    method: 'POST',
    path: '/backup',
    tag: 'upkeep',
    summary:
      'A consistent backup of metadata, artifacts and prediction log as a tar archive; its last file, manifest.json, lists the others with their SHA-256.',
    rawResponse: true,
    response: z.unknown(),
  }),
};
