import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../src/cli/connect.ts';
import { binnacle, temporaryFolder } from '../support/server.ts';

it('a server that a command starts for itself answers that command and its user’s others, and nobody else', async () => {
  const data = temporaryFolder();
  const { client, url, close } = await connect({ data });
  try {
    expect((await client.call('listBatchJobs', { query: {} })).jobs).toEqual([]);
    for (const path of ['/api/binnacle/v1/batch', '/api/binnacle/v1/info', '/api/2.0/mlflow/experiments/get?experiment_id=0'])
      expect((await fetch(`${url}${path}`)).status, path).toBe(401);
    expect(statSync(join(data, 'owner.token')).mode & 0o777).toBe(0o600);
    const beside = await binnacle(['batch', 'ls', '--data', data, '--json']);
    expect(beside, beside.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('[]') });
  } finally {
    await close();
  }
  expect(existsSync(join(data, 'owner.token'))).toBe(false);
});
