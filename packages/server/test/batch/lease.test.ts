import { expect, it } from 'vitest';
import type { BatchStore } from '../../src/batch/index.ts';
import { batchKit, columns } from '../support/batch.ts';
import { sum } from '../support/onnx-graphs.ts';
import { until } from '../support/serving.ts';

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

it('a job that is queued when the lease is lost is not begun, and runs when it is got again', async () => {
  const lease = { ours: true, asked: 0 };
  const begun: string[] = [];
  const kit = await batchKit({
    lease: async () => {
      lease.asked++;
      return lease.ours;
    },
    wrapStore: (store) =>
      new Proxy(store, {
        get(target, name: keyof BatchStore) {
          const method = (target[name] as (...args: unknown[]) => Promise<unknown>).bind(target);
          return async (...args: unknown[]) => {
            if (name === 'startJob') begun.push(args[0] as string);
            const value = await method(...args);
            if (name === 'createJob') Object.assign(lease, { ours: false, asked: 0 });
            return value;
          };
        },
      }),
  });
  await kit.registry.add('sum', sum(2), columns('p', 'q'));
  await kit.batch.start();
  const { id } = await kit.create({ model: 'sum', input: kit.file('in.csv', 'p,q\n1,2\n'), output: kit.path('out') });
  await until(() => lease.asked > 0);
  expect(await kit.batch.get(id)).toMatchObject({ state: 'queued' });
  expect(begun).toEqual([]);
  lease.ours = true;
  await expect(kit.batch.cancel('x')).rejects.toMatchObject({ code: 'batch_job_not_found' });
  expect(await kit.batch.finished(id)).toMatchObject({ state: 'succeeded' });
  expect(begun).toEqual([id]);
  await kit.close();
});
