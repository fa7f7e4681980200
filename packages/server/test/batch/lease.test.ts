import { expect, it } from 'vitest';
import { batchKit } from '../support/batch.ts';

const spec = { model: 'm', input: 'nothing.csv', output: 'out' };

it('a server without the lease refuses jobs and takes up nobody’s, until it gets it', async () => {
  const lease = { ours: false };
  const recovered: string[] = [];
  const kit = await batchKit({
    lease: async () => lease.ours,
    wrapStore: (store) =>
      new Proxy(store, {
        get(target, name) {
          if (name === 'recoverJobs') recovered.push('recovered');
          return Reflect.get(target, name) as unknown;
        },
      }),
  });
  await kit.batch.start();
  for (const call of [() => kit.create(spec), () => kit.batch.cancel('x'), () => kit.batch.resume('x')])
    await expect(call()).rejects.toMatchObject({ kind: 'unavailable', code: 'batch_elsewhere' });
  expect((await kit.batch.list({ limit: 10 })).items).toEqual([]);
  expect(recovered).toEqual([]);
  lease.ours = true;
  // Two at once take them up once.
  const both = await Promise.allSettled([kit.batch.resume('x'), kit.batch.cancel('x')]);
  for (const one of both) expect(one).toMatchObject({ reason: { code: 'batch_job_not_found' } });
  expect(recovered).toEqual(['recovered']);
  // Lost and got again: another may have begun jobs meanwhile.
  lease.ours = false;
  await expect(kit.batch.cancel('x')).rejects.toMatchObject({ code: 'batch_elsewhere' });
  lease.ours = true;
  await expect(kit.batch.cancel('x')).rejects.toMatchObject({ code: 'batch_job_not_found' });
  expect(recovered).toHaveLength(2);
  await kit.close();
});
