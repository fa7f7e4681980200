import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { writeOverride } from '../../../src/serving/repository/prepare.ts';
import { sum } from '../../support/onnx-graphs.ts';
import { type RepositoryKit, repositoryKit } from '../../support/model-repository.ts';
import { until } from '../../support/serving.ts';

let kit: RepositoryKit | undefined;
afterEach(() => kit?.close());
const answer = async (of: RepositoryKit, model = 'm'): Promise<number> => (await of.infer(model, [[1, 2]])).outputs?.[0].data[0];

describe('model control modes', () => {
  it('none: serves what was there at the start', async () => {
    kit = await repositoryKit({ 'm/1/model.onnx': sum(2) });
    kit.folder.write('m/2/model.onnx', sum(2, 10));
    await expect(kit.control.load('m', {})).rejects.toThrow(/not allowed in the model control mode 'none'/);
    await expect(kit.control.unload('m', { dependents: false })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await answer(kit)).toBe(3);
  });

  it('poll: follows added, changed and removed versions and models, and failures leave the old', { timeout: 30_000 }, async () => {
    const of = (kit = await repositoryKit({ 'm/1/model.onnx': sum(2) }, { mode: 'poll' }));
    const { folder, control } = of;
    folder.write('m/2/model.onnx', sum(2, 10));
    await until(async () => (await answer(of)) === 30, 10_000);
    folder.write('m/2/model.onnx', sum(2, 20));
    await until(async () => (await answer(of)) === 60, 10_000);
    folder.write('m/2/model.onnx', sum(2, 50).subarray(0, 40));
    await until(
      async () =>
        (await control.index()).some(({ version, state, reason }) => version === '2' && state === 'READY' && reason.includes('not a whole ONNX file')),
      10_000,
    );
    expect(await answer(of)).toBe(60);
    folder.write('m/config.pbtxt', 'max_batch_size: ');
    await until(async () => (await control.index()).some(({ reason }) => reason.includes('expected a value')), 10_000);
    expect(await answer(of)).toBe(60);
    folder.remove('m/config.pbtxt');
    folder.remove('m/2');
    await until(async () => (await answer(of)) === 3, 10_000);
    folder.write('new/1/model.onnx', sum(2, 7));
    await until(async () => (await answer(of, 'new')) === 21, 10_000);
    folder.remove('m');
    await until(() => of.kit.serving.list().every(({ name }) => name !== 'm'), 10_000);
    expect(await answer(of, 'new')).toBe(21);
  });

  it('poll: a version that comes in under load costs no request', { timeout: 30_000 }, async () => {
    const of = (kit = await repositoryKit({ 'm/1/model.onnx': sum(2) }, { mode: 'poll' }));
    const seen = new Set<number>();
    const failures: unknown[] = [];
    const clock = { stopped: false };
    const client = async (): Promise<void> => {
      while (!clock.stopped) {
        const reply = await of.infer('m', [[1, 2]]);
        if (reply.outputs === undefined) failures.push(reply);
        else seen.add(reply.outputs[0].data[0]);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (let version = 2; version <= 4; version++) {
      of.folder.write(`m/${version}/model.onnx`, sum(2, version));
      await until(() => seen.has(3 * version), 10_000);
    }
    clock.stopped = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect([...seen].sort((a, b) => a - b)).toEqual([3, 6, 9, 12]);
  });

  it('explicit: loads what is named at the start, and the rest by request', async () => {
    const { control } = (kit = await repositoryKit({ 'a/1/model.onnx': sum(2), 'b/1/model.onnx': sum(2, 2) }, { mode: 'explicit', loadModels: ['a'] }));
    expect(await control.index()).toEqual([
      { name: 'a', version: '1', state: 'READY', reason: '' },
      { name: 'b', version: undefined, state: undefined, reason: '' },
    ]);
    await control.load('b', {});
    expect(await answer(kit, 'b')).toBe(6);
    await control.unload('b', { dependents: false });
    expect(await kit.infer('b', [[1, 2]])).toHaveProperty('error');
    expect((await control.index())[1]).toEqual({ name: 'b', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' });
    await expect(control.load('nowhere', {})).rejects.toThrow("failed to load 'nowhere', failed to poll from model repository");
    await control.unload('nowhere', { dependents: false });
    await expect(control.load('../a', {})).rejects.toThrow(/failed to poll/);
  });

  it('explicit: a load takes the folder as it is now, and leaves the old where that fails', async () => {
    const { control, folder } = (kit = await repositoryKit({ 'm/1/model.onnx': sum(2) }, { mode: 'explicit', loadModels: ['*'] }));
    folder.write('m/1/model.onnx', sum(2, 5));
    expect(await answer(kit)).toBe(3);
    await control.load('m', {});
    expect(await answer(kit)).toBe(15);
    folder.write('m/1/model.onnx', 'broken');
    await expect(control.load('m', {})).rejects.toThrow(/^failed to load 'm': .*not a whole ONNX file/);
    expect(await answer(kit)).toBe(15);
  });

  it('explicit: a load may bring its configuration and its files', async () => {
    const { control, infer } = (kit = await repositoryKit({ 'm/1/model.onnx': sum(2) }, { mode: 'explicit', loadModels: ['m'] }));
    await control.load('m', {
      config: JSON.stringify({
        max_batch_size: 1,
        input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2] }],
        output: [{ name: 'y', data_type: 'TYPE_FP32', dims: ['1'] }],
      }),
    });
    expect(
      (
        await infer('m', [
          [1, 2],
          [3, 4],
        ])
      ).error,
    ).toContain('batch-size must be <= 1');
    await control.load('m', { config: '{"version_policy": {"all": {}}}', files: new Map([['7/model.onnx', sum(2, 9)]]) });
    expect(await infer('m', [[1, 2]])).toMatchObject({ model_version: '7', outputs: [{ data: [27] }] });
    await expect(control.load('m', { files: new Map([['1/model.onnx', sum(2)]]) })).rejects.toThrow(/override files need the model's configuration/);
    await expect(control.load('m', { config: '{}', files: new Map([['../1/model.onnx', sum(2)]]) })).rejects.toThrow(/must be a path inside/);
    await expect(control.load('m', { config: '{"max_batchsize": 1}' })).rejects.toThrow(/has no field named 'max_batchsize'/);
    expect(await infer('m', [[1, 2]])).toMatchObject({ model_version: '7', outputs: [{ data: [27] }] });
    await control.load('m', {});
    expect(
      await infer('m', [
        [1, 2],
        [3, 4],
      ]),
    ).toMatchObject({ model_version: '1', outputs: [{ data: [3, 7] }] });
  });

  it('explicit: a failed load leaves the settings in force that were, and the index says why it failed', async () => {
    const {
      control,
      infer,
      folder,
      kit: of,
    } = (kit = await repositoryKit(
      { 'm/1/model.onnx': sum(2), 'm/2/model.onnx': sum(2, 2), 'm/config.pbtxt': 'max_batch_size: 8 version_policy { all {} }' },
      { mode: 'explicit', loadModels: ['m'] },
    ));
    const before = of.serving.get('m').config;
    const config = '{"max_batch_size": 4, "version_policy": {"all": {}}, "response_cache": {"enable": true}, "dynamic_batching": {"priority_levels": 2}}';
    const unchanged = async (reason: RegExp) => {
      expect(await infer('m', [[1, 2]], 1)).toMatchObject({ outputs: [{ data: [3] }] });
      expect(await infer('m', [[1, 2]])).toMatchObject({ model_version: '2', outputs: [{ data: [6] }] });
      expect(
        await infer(
          'm',
          Array.from({ length: 8 }, () => [1, 2]),
        ),
      ).toHaveProperty('outputs');
      expect(of.serving.get('m').config).toEqual(before);
      expect(of.serving.stats('m').cache).toBeNull();
      expect((await control.index()).filter(({ state }) => state === 'READY')).toEqual([
        { name: 'm', version: '1', state: 'READY', reason: expect.stringMatching(reason) },
        { name: 'm', version: '2', state: 'READY', reason: expect.stringMatching(reason) },
      ]);
    };
    // One version would load, and the other does not.
    const files = new Map([
      ['1/model.onnx', sum(2, 7)],
      ['2/model.onnx', Buffer.from('broken')],
    ]);
    await expect(control.load('m', { config, files })).rejects.toThrow(/^failed to load 'm': .*not a whole ONNX file/);
    await unchanged(/^the last load failed: .*not a whole ONNX file/);
    await expect(control.load('m', { config: '{"max_batchsize": 1}' })).rejects.toThrow(/has no field named 'max_batchsize'/);
    await unchanged(/^the last load failed: .*has no field named 'max_batchsize'/);
    folder.write('m/2/model.onnx', 'broken');
    await expect(control.load('m', { config })).rejects.toThrow(/not a whole ONNX file/);
    await unchanged(/not a whole ONNX file/);
    folder.write('m/2/model.onnx', sum(2, 3));
    await control.load('m', { config });
    expect(of.serving.get('m').config).toMatchObject({ batching: { maxRows: 4, priorityLevels: 2 } });
    expect(
      await infer(
        'm',
        Array.from({ length: 8 }, () => [1, 2]),
      ),
    ).toHaveProperty('error');
    expect(await infer('m', [[1, 2]])).toMatchObject({ outputs: [{ data: [9] }] });
    expect(of.serving.stats('m').cache).not.toBeNull();
    expect((await control.index()).map(({ reason }) => reason)).toEqual(['', '']);
  });

  it('poll: a broken model leaves the settings with the version that goes on', async () => {
    const { folder, kit: of } = (kit = await repositoryKit({ 'm/1/model.onnx': sum(2), 'm/config.pbtxt': 'max_batch_size: 8' }, { mode: 'poll' }));
    folder.write('m/1/model.onnx', 'broken');
    folder.write('m/config.pbtxt', 'max_batch_size: 8 response_cache { enable: true }');
    await until(() => of.serving.get('m').state === 'degraded', 10_000);
    expect(await answer(kit)).toBe(3);
    expect(of.serving.stats('m').cache).toBeNull();
    folder.write('m/1/model.onnx', sum(2, 2));
    await until(() => of.serving.get('m').state === 'ready', 10_000);
    expect(of.serving.stats('m').cache).not.toBeNull();
  });

  it('explicit: a model that only its load’s files hold', async () => {
    const { control, infer } = (kit = await repositoryKit({}, { mode: 'explicit' }));
    await control.load('m', { config: '{}', files: new Map([['1/model.onnx', sum(2, 4)]]) });
    expect((await infer('m', [[1, 2]])).outputs[0].data).toEqual([12]);
    expect(await control.has('m')).toBe(true);
    await control.unload('m', { dependents: false });
    expect(await control.has('m')).toBe(false);
    expect(await infer('m', [[1, 2]])).toHaveProperty('error');
  });

  it('explicit: the name of a load is no path, and a failed load leaves nothing behind', async () => {
    const { control, kit: of, workDir } = (kit = await repositoryKit({ 'm/1/model.onnx': sum(2) }, { mode: 'explicit' }));
    const load = { config: '{}', files: new Map([['1/model.onnx', sum(2)]]) };
    for (const name of ['../../out', '..', '.', '', 'a/b', 'a\\b', '/tmp/out', 'a\0', '.hidden', 'x'.repeat(129)]) {
      await expect(control.load(name, load), name).rejects.toMatchObject({ kind: 'invalid', code: 'invalid_endpoint_name' });
      await expect(writeOverride(workDir, name, load.files), name).rejects.toMatchObject({ kind: 'invalid', code: 'invalid_endpoint_name' });
    }
    // As it comes over the wire.
    const reply = await fetch(`${of.url}/v2/repository/models/..%2F..%2Fout/load`, {
      method: 'POST',
      body: JSON.stringify({ parameters: { config: '{}', 'file:1/model.onnx': Buffer.from(sum(2)).toString('base64') } }),
    });
    expect(reply.status).toBe(400);
    expect(((await reply.json()) as { error: string }).error).toMatch(/^failed to load '\.\.\/\.\.\/out', failed to poll/);
    for (let i = 0; i < 5; i++) {
      await expect(control.load(`nowhere${i}`, {})).rejects.toThrow(/failed to poll/);
      await expect(control.load(`broken${i}`, { config: '{}', files: new Map([['1/model.onnx', Buffer.from('x')]]) })).rejects.toThrow(/failed to load/);
    }
    expect(readdirSync(workDir)).toEqual([]);
    expect(existsSync(join(workDir, '..', 'out'))).toBe(false);
    expect((await control.index()).map(({ name }) => name)).toEqual(['m']);
  });
});
