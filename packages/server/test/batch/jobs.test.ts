import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchStore, JobRecord } from '../../src/batch/index.ts';
import { exhausted } from '../../src/kernel/index.ts';
import { type BatchKit, batchKit, columns, folder, query } from '../support/batch.ts';
import { batchKitWithModels, sampleFile } from '../support/batch-models.ts';
import { slow, sum } from '../support/onnx-graphs.ts';
import { until } from '../support/serving.ts';

let kit: BatchKit;
beforeAll(async () => {
  kit = await batchKitWithModels();
});
afterAll(() => kit.close());
const sample = (format: 'csv' | 'jsonl' | 'parquet', rows?: number) => sampleFile(kit, format, rows);

describe('the output folder', () => {
  it('is never mixed, and what others wrote there is never deleted', async () => {
    const input = await sample('csv', 10);
    const output = kit.path('owned');
    await kit.run({ model: 'mixed', input, output });
    await expect(kit.create({ model: 'mixed', input, output })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'batch_output_not_empty',
      message: expect.stringContaining('Resume it, overwrite it'),
    });
    writeFileSync(join(output, 'mine.txt'), 'keep');
    await expect(kit.create({ model: 'mixed', input, output, overwrite: true })).rejects.toMatchObject({ message: expect.stringContaining('mine.txt') });
    expect(readFileSync(join(output, 'mine.txt'), 'utf8')).toBe('keep');
    expect(existsSync(join(output, '_SUCCESS'))).toBe(true);
    mkdirSync(kit.path('others'));
    writeFileSync(kit.path('others', 'part-00000.csv'), 'theirs');
    await expect(kit.create({ model: 'mixed', input, output: kit.path('others'), overwrite: true })).rejects.toMatchObject({ code: 'batch_output_not_empty' });
    expect(readFileSync(kit.path('others', 'part-00000.csv'), 'utf8')).toBe('theirs');
  });

  it('overwrite replaces what a job wrote', async () => {
    const output = kit.path('again');
    await kit.run({ model: 'mixed', input: await sample('csv', 10), output, chunkRows: 2 });
    const job = await kit.run({ model: 'mixed', input: await sample('csv', 10), output, overwrite: true, outputFormat: 'jsonl' });
    expect(job.error).toBeNull();
    expect(readdirSync(output).sort()).toEqual(['_SUCCESS', '_manifest.json', 'part-00000.jsonl']);
  });

  it('a crash between a job and its folder does not mix two outputs: the folder is taken when the job runs', async () => {
    const output = kit.path('crashed');
    const input = await sample('csv', 10);
    const first = await kit.run({ model: 'mixed', input, output, chunkRows: 2 });
    // What create() leaves when the process dies right after the job's row, before the folder is cleared.
    const left = async (id: string, overwrite: boolean) => {
      const record = (await kit.store.findJob(first.id)) as JobRecord;
      const spec = { ...record.spec, chunkRows: 5, overwrite };
      const clean = { rowsTotal: null, chunksTotal: null, rowsDone: 0, chunksDone: 0, startedAt: null, endedAt: null, attempt: 0 };
      await kit.store.createJob({ ...record, ...clean, id, spec, state: 'queued', fingerprint: { ...record.fingerprint, chunkRows: 5 } });
      await kit.batch.start();
      return kit.batch.finished(id);
    };
    expect(await left('second', true)).toMatchObject({ state: 'succeeded', error: null });
    expect(readdirSync(output).sort()).toEqual(['_SUCCESS', '_manifest.json', 'part-00000.csv', 'part-00001.csv']);
    expect(JSON.parse(readFileSync(join(output, '_manifest.json'), 'utf8'))).toMatchObject({ jobId: 'second' });
    expect(await left('third', false)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('no longer the output of the job third but of second'),
    });
    writeFileSync(join(output, 'mine.txt'), 'keep');
    expect(await left('fourth', true)).toMatchObject({ state: 'failed', error: expect.stringContaining('mine.txt') });
    expect(readdirSync(output).sort()).toEqual(['_SUCCESS', '_manifest.json', 'mine.txt', 'part-00000.csv', 'part-00001.csv']);
    const half = kit.path('half-begun');
    mkdirSync(half);
    writeFileSync(join(half, '._manifest.json.tmp'), '{');
    expect((await kit.run({ model: 'mixed', input, output: half })).state).toBe('succeeded');
    expect(readdirSync(half).sort()).toEqual(['_SUCCESS', '_manifest.json', 'part-00000.csv']);
  });

  it('roots hold, through symbolic links too', async () => {
    const walled = await batchKit({ roots: [kit.path('walled')] });
    await walled.registry.add('sum', sum(2), columns('p', 'q'));
    mkdirSync(kit.path('walled'));
    symlinkSync(kit.path(), kit.path('walled', 'link'));
    const input = kit.path('walled', 'in.parquet');
    await query(`COPY (SELECT 1.0::DOUBLE AS p, 2.0::DOUBLE AS q) TO '${input}' (FORMAT parquet)`);
    await expect(walled.create({ model: 'sum', input: await sample('csv', 10), output: kit.path('walled', 'o') })).rejects.toMatchObject({
      kind: 'denied',
      code: 'path_outside_roots',
    });
    await expect(walled.create({ model: 'sum', input, output: kit.path('elsewhere') })).rejects.toMatchObject({ kind: 'denied' });
    await expect(walled.create({ model: 'sum', input, output: kit.path('walled', 'link', 'o') })).rejects.toMatchObject({ kind: 'denied' });
    await expect(walled.create({ model: 'sum', input, output: `${kit.path('walled')}/../out` })).rejects.toMatchObject({ kind: 'denied' });
    expect((await walled.run({ model: 'sum', input, output: kit.path('walled', '_out') })).state).toBe('succeeded');
    await walled.close();
  });

  it('files can be listed and read, and only those', async () => {
    const job = await kit.run({ model: 'mixed', input: await sample('csv', 10), output: kit.path('listed'), chunkRows: 4 });
    const files = await kit.batch.files(job.id);
    expect(files.map(({ name, rows }) => [name, rows])).toEqual([
      ['part-00000.csv', 4],
      ['part-00001.csv', 4],
      ['part-00002.csv', 2],
      ['_manifest.json', null],
      ['_SUCCESS', null],
    ]);
    const { stream, bytes } = await kit.batch.openFile(job.id, 'part-00002.csv');
    expect(Buffer.concat(await stream.toArray()).length).toBe(bytes);
    await expect(kit.batch.openFile(job.id, '../sample-10.csv')).rejects.toMatchObject({ kind: 'not_found' });
  });
});

describe('monitoring', () => {
  it('gets an evenly spread, weighted sample of each chunk with ids and event times', async () => {
    kit.recorded.length = 0;
    const job = await kit.run({
      model: 'mixed',
      input: await sample('parquet', 12_000),
      output: kit.path('monitored'),
      chunkRows: 10_000,
      timestampColumn: 'seen',
    });
    expect(await query(`SELECT count(*) AS rows, count(prediction_id) AS ids FROM '${kit.path('monitored')}/*.parquet'`)).toEqual([
      { rows: '12000', ids: '4000' },
    ]);
    const written = new Set((await query(`SELECT prediction_id AS id FROM '${kit.path('monitored')}/*.parquet' WHERE id IS NOT NULL`)).map(({ id }) => id));
    expect(kit.recorded.flatMap(({ predictionIds }) => predictionIds ?? []).every((id) => written.has(id))).toBe(true);
    const samples = [...kit.recorded].sort((a, b) => a.rows * (a.weight ?? 1) - b.rows * (b.weight ?? 1));
    expect(samples.map(({ rows, weight }) => [rows, weight])).toEqual([
      [2000, 1],
      [2000, 5],
    ]);
    const [small, big] = samples as [(typeof samples)[0], (typeof samples)[0]];
    expect(big).toMatchObject({ source: 'batch', endpoint: 'mixed', model: 'mixed', version: 1, requestId: job.id, shadow: false });
    expect(big.features.map(({ name }) => name)).toEqual(['a', 'b', 'n', 't']);
    expect(big.outputs.map(({ name }) => name)).toEqual(['total', 'word', 'again']);
    expect(small.predictionIds?.[0]).toBe(`${job.id}:10000`);
    const [row, time] = [Number(big.predictionIds?.[7]?.split(':')[1]), (big.eventTime as Float64Array)[7]];
    expect(time).toBe(Date.UTC(2024, 0, 1) + row * 60_000);
    expect(Number(((big.outputs[2] as { values: unknown }).values as BigInt64Array)[7])).toBe(row);
  });

  it('gets nothing when it is not wanted, and then there are no ids', async () => {
    kit.recorded.length = 0;
    await kit.run({ model: 'mixed', input: await sample('csv', 10), output: kit.path('unmonitored'), monitor: false });
    expect(kit.recorded).toEqual([]);
    expect(readFileSync(kit.path('unmonitored', 'part-00000.csv'), 'utf8')).not.toContain('prediction_id');
  });
});

describe('resuming', () => {
  it('does only what is missing, and a job that ended says so', async () => {
    const input = await sample('parquet');
    const spec = { model: 'mixed', input, output: kit.path('resumed'), chunkRows: 500 };
    const job = await kit.create(spec);
    await kit.batch.cancel(job.id);
    const cancelled = await kit.batch.finished(job.id);
    expect(['cancelled', 'succeeded']).toContain(cancelled.state);
    const before = new Map(
      (await kit.batch.files(job.id)).filter(({ kind }) => kind === 'part').map(({ name }) => [name, statSync(kit.path('resumed', name)).mtimeMs]),
    );
    const again = await kit.run({ ...spec, resume: true });
    expect(again).toMatchObject({ id: job.id, state: 'succeeded', rowsDone: 2500, chunksDone: 5 });
    for (const [name, time] of before) expect(statSync(kit.path('resumed', name)).mtimeMs).toBe(time);
    await expect(kit.batch.resume(job.id)).rejects.toMatchObject({ code: 'batch_not_resumable' });
    expect((await kit.run({ ...spec, resume: true })).id).toBe(job.id);
    expect(kit.ended.filter(({ jobId }) => jobId === job.id).length).toBeGreaterThan(0);
  });

  it('is refused when the model, the input or a parameter differs, and says what', async () => {
    const input = await sample('csv', 50);
    const spec = { model: 'lookup2', input, output: kit.path('mismatch'), chunkRows: 10 };
    await kit.registry.add('lookup2', sum(2), columns('a', 'b'));
    const job = await kit.run({ ...spec, select: 'CASE WHEN n = 31 THEN CAST(t AS DOUBLE) ELSE a END AS a, b' });
    expect(job).toMatchObject({ state: 'failed', error: expect.stringContaining('The SQL fails on a row') });
    const resume = { ...spec, select: job.spec.select, resume: true };
    await expect(kit.create({ ...resume, chunkRows: 20 })).rejects.toMatchObject({
      code: 'batch_resume_mismatch',
      message: expect.stringContaining('chunkRows was 10 and is now 20'),
    });
    await expect(kit.create({ ...resume, where: 'a > 1' })).rejects.toMatchObject({ message: expect.stringContaining('where') });
    await kit.registry.add('lookup2', sum(2, 2), columns('a', 'b'));
    await expect(kit.create(resume)).rejects.toMatchObject({ message: expect.stringContaining('version was 1 and is now 2') });
    const [first] = kit.registry.packages.get('lookup2') ?? [];
    const id = first?.id ?? '';
    Object.assign(first ?? {}, { id: 'of another model' });
    await expect(kit.create({ ...resume, version: 1 })).rejects.toMatchObject({ message: expect.stringContaining('the model behind the name changed') });
    Object.assign(first ?? {}, { id });
    utimesSync(input, new Date(), new Date(Date.now() + 5000));
    await expect(kit.create({ ...resume, version: 1 })).rejects.toMatchObject({ message: expect.stringContaining('input') });
    await expect(kit.batch.resume(job.id)).rejects.toMatchObject({ code: 'batch_resume_mismatch' });
  });

  it('a part that was lost or cut is made again, and no other', async () => {
    const job = await kit.run({
      model: 'sum',
      input: await sample('parquet', 500),
      output: kit.path('lost'),
      chunkRows: 100,
      workers: 1,
      select: 'CASE WHEN n = 451 THEN CAST(t AS DOUBLE) ELSE a END AS p, b AS q',
    });
    expect(job).toMatchObject({ state: 'failed', chunksDone: 4 });
    const part = (n: number) => kit.path('lost', `part-0000${n}.parquet`);
    const whole = [1, 2].map((n) => readFileSync(part(n)));
    const untouched = statSync(part(0)).mtimeMs;
    writeFileSync(part(1), (whole[0] as Buffer).subarray(0, 50));
    unlinkSync(part(2));
    await kit.batch.resume(job.id);
    expect(await kit.batch.finished(job.id)).toMatchObject({ state: 'failed', chunksDone: 4 });
    expect([1, 2].map((n) => readFileSync(part(n)))).toEqual(whole);
    expect(statSync(part(0)).mtimeMs).toBe(untouched);
  });

  it('after kill -9 the job says that it was interrupted, and goes on where it stopped', async () => {
    const dir = folder('killed');
    const input = await sample('parquet', 20_000);
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('../support/batch-child.ts', import.meta.url)), dir, input],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const output = join(dir, 'data', 'out');
    await until(() => existsSync(output) && readdirSync(output).filter((name) => name.startsWith('part-')).length >= 3, 30_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const parts = new Map(
      readdirSync(output)
        .filter((name) => name.startsWith('part-'))
        .map((name) => [name, statSync(join(output, name)).mtimeMs]),
    );
    expect(parts.size).toBeLessThan(20);

    const after = await batchKit({ dir });
    await after.registry.add('slow', slow(12, 4), columns('a', 'b', 'n:long', 'a2'));
    await after.batch.start();
    const [job] = (await after.batch.list({ limit: 10 })).items;
    expect(job).toMatchObject({ state: 'failed', error: expect.stringMatching(/server stopped.*Resume it/) });
    await after.batch.resume(job?.id as string);
    expect(await after.batch.finished(job?.id as string)).toMatchObject({ state: 'succeeded', rowsDone: 20_000, chunksDone: 20 });
    // A part that was on disk before its ledger row is made again; at most one for each chunk under way.
    expect([...parts].filter(([name, time]) => statSync(join(output, name)).mtimeMs !== time).length).toBeLessThanOrEqual(3);
    expect(await query(`SELECT count(*) AS rows, count(DISTINCT n) AS different, max(abs(y_0 - a)) AS off FROM '${output}/part-*.parquet'`)).toEqual([
      { rows: '20000', different: '20000', off: 0 },
    ]);
    expect(readdirSync(output).filter((name) => name.includes('.tmp'))).toEqual([]);
    await after.close();
  });

  it('two jobs never write to one folder at a time', async () => {
    const input = await sample('parquet');
    const first = await kit.create({ model: 'mixed', input, output: kit.path('busy'), chunkRows: 100 });
    await expect(kit.create({ model: 'mixed', input, output: kit.path('busy'), overwrite: true })).rejects.toMatchObject({ kind: 'conflict' });
    await kit.batch.finished(first.id);
  });
});

describe('an end that cannot be stored', () => {
  const full = () => exhausted('disk_full', 'The disk is full.');
  async function failing(options: { retryMs: number }) {
    const broken = { finish: true, start: false };
    const own = await batchKit({
      ...options,
      wrapStore: (store) =>
        new Proxy(store, {
          get: (target, name: keyof BatchStore) => {
            if ((name === 'finishJob' && broken.finish) || (name === 'startJob' && broken.start)) return () => Promise.reject(full());
            return (target[name] as (...args: unknown[]) => unknown).bind(target);
          },
        }),
    });
    await own.registry.add('sum', sum(2), columns('p', 'q'));
    const input = own.file('in.csv', 'p,q,t\n1,2,x\n');
    return { own, broken, spec: { model: 'sum', input, output: own.path('out') } };
  }

  it('is tried again until it is', async () => {
    const { own, broken, spec } = await failing({ retryMs: 50 });
    const job = await own.create(spec);
    await until(async () => (await own.batch.get(job.id)).message.includes('has ended (succeeded), which cannot be stored yet: The disk is full.'));
    expect((await own.batch.get(job.id)).state).toBe('running');
    broken.finish = false;
    expect(await own.batch.finished(job.id)).toMatchObject({ state: 'succeeded' });
    await own.close();
  });

  it('holds neither cancel nor resume nor the output up once there is room', async () => {
    const { own, broken, spec } = await failing({ retryMs: 1_000_000 });
    const ended = async (extra: object) => {
      const { id } = await own.create({ ...spec, ...extra });
      await until(async () => (await own.batch.get(id)).message.includes('cannot be stored yet'));
      return id;
    };
    const failed = await ended({ select: 'CAST(t AS DOUBLE) AS p, q' });
    for (const call of [() => own.batch.cancel(failed), () => own.batch.resume(failed), () => own.create({ ...spec, overwrite: true })])
      await expect(call()).rejects.toMatchObject({ kind: 'exhausted', code: 'disk_full' });
    broken.finish = false;
    await own.batch.resume(failed);
    expect(await own.batch.finished(failed)).toMatchObject({ state: 'failed', error: expect.stringContaining('The SQL fails') });
    broken.finish = true;
    const second = await ended({ overwrite: true });
    broken.finish = false;
    await expect(own.batch.cancel(second)).rejects.toMatchObject({ code: 'batch_not_running', message: expect.stringContaining('succeeded') });
    broken.finish = true;
    await ended({ overwrite: true });
    broken.finish = false;
    expect(await own.run({ ...spec, overwrite: true })).toMatchObject({ state: 'succeeded' });
    await own.close();
  });

  it('a running job that nobody runs can be cancelled and resumed', async () => {
    const { own, broken, spec } = await failing({ retryMs: 1_000_000 });
    broken.finish = false;
    const { id } = await own.run(spec);
    const record = (await own.store.findJob(id)) as JobRecord;
    const orphan = async (name: string) => {
      await own.store.createJob({ ...record, id: name, output: own.path(name), state: 'queued', rowsTotal: null, attempt: 0 });
      await own.store.startJob(name);
    };
    await orphan('lost');
    expect(await own.batch.cancel('lost')).toMatchObject({ state: 'cancelled' });
    await orphan('lost2');
    await own.batch.resume('lost2');
    expect(await own.batch.finished('lost2')).toMatchObject({ state: 'succeeded' });
    await own.close();
  });

  it('nor does a start that cannot be stored lose the job', async () => {
    const { own, broken, spec } = await failing({ retryMs: 50 });
    Object.assign(broken, { finish: false, start: true });
    const job = await own.create(spec);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect((await own.batch.get(job.id)).state).toBe('queued');
    broken.start = false;
    expect(await own.batch.finished(job.id)).toMatchObject({ state: 'succeeded' });
    await own.close();
  });
});

it('jobs are listed newest first, by page and by model', async () => {
  const first = await kit.batch.list({ limit: 2 });
  const second = await kit.batch.list({ limit: 2, pageToken: first.nextPageToken });
  const ids = [...first.items, ...second.items].map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
  expect((await kit.batch.list({ model: 'lookup', limit: 100 })).items.every(({ model }) => model === 'lookup')).toBe(true);
  await expect(kit.batch.get('nope')).rejects.toMatchObject({ kind: 'not_found' });
});
