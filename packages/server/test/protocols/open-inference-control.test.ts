import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tritonMetrics } from '../../src/protocols/open-inference/index.ts';
import { identity, sum } from '../support/onnx-graphs.ts';
import { send, type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit();
  await kit.deploy('sum', sum(2));
  await kit.deploy('text', identity('BYTES'));
  await kit.deploy('fixed', identity('FP32', [2, 2]));
});
afterAll(() => kit.close());

const get = async (path: string) => (await send(`${kit.url}/v2/${path}`)).json();
const post = (path: string, body: object | string = '') =>
  send(`${kit.url}/v2/${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const ask = (rows = 1, more: object = {}, endpoint = 'sum') =>
  kit.infer(endpoint, { ...more, inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 2], data: Array.from({ length: rows * 2 }, (_, i) => i) }] });

describe('the repository', () => {
  it('lists what is served, and what is ready alone', async () => {
    const index = [
      { name: 'fixed', version: '1', state: 'READY' },
      { name: 'sum', version: '1', state: 'READY' },
      { name: 'text', version: '1', state: 'READY' },
    ];
    expect((await post('repository/index')).json()).toEqual(index);
    expect((await post('repository/registry/index', { ready: true })).json()).toEqual(index);
    const other = await post('repository/elsewhere/index');
    expect([other.status, other.json().error]).toEqual([404, "there is no model repository 'elsewhere'; there are registry"]);
  });

  it('unloads and loads', async () => {
    await kit.deploy('comes', sum(2));
    expect((await post('repository/models/comes/unload', { parameters: { unload_dependents: true } })).status).toBe(200);
    expect((await post('repository/index')).json()).toContainEqual({ name: 'comes', state: 'UNAVAILABLE', reason: 'unloaded' });
    expect((await post('repository/index', { ready: true })).json()).not.toContainEqual(expect.objectContaining({ name: 'comes' }));
    expect((await send(`${kit.url}/v2/models/comes/ready`)).status).toBe(400);
    expect((await ask(1, {}, 'comes')).status).toBe(503);
    const loaded = await post('repository/models/comes/load');
    expect([loaded.status, loaded.body.length]).toEqual([200, 0]);
    expect((await ask(1, {}, 'comes')).status).toBe(200);
    await kit.serving.delete('comes');
  });

  it('loads with a configuration', async () => {
    await kit.deploy('tuned', sum(2));
    const config = {
      name: 'tuned',
      platform: 'onnxruntime_onnx',
      max_batch_size: 16,
      dynamic_batching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: '300', priority_levels: 3, default_priority_level: 2 },
      instance_group: [{ count: 2, kind: 'KIND_CPU' }],
      parameters: { intra_op_thread_count: { string_value: '2' } },
    };
    expect((await post('repository/models/tuned/load', { parameters: { config: JSON.stringify(config) } })).status).toBe(200);
    expect(kit.serving.get('tuned').config).toEqual({
      batching: { enabled: 'on', maxRows: 16, preferredRows: [4, 8], maxQueueDelayMicros: 300, priorityLevels: 3, defaultPriority: 2 },
      instances: 2,
      threads: 2,
    });
    expect(await get('models/tuned/config')).toMatchObject({
      max_batch_size: 16,
      dynamic_batching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: 300, priority_levels: 3, default_priority_level: 2 },
      instance_group: [{ count: 2, kind: 'KIND_CPU' }],
      parameters: { intra_op_thread_count: { string_value: '2' } },
    });
    // What a server hands out can be handed back.
    const again = await post('repository/models/tuned/load', { parameters: { config: JSON.stringify(await get('models/tuned/config')) } });
    expect([again.status, again.body.toString()]).toEqual([200, '']);
    expect((await ask(1, {}, 'tuned')).status).toBe(200);
    await kit.serving.delete('tuned');
  });

  it('a load that fails leaves the settings that were, and the index says why', async () => {
    await kit.deploy('stays', sum(2));
    const onnxFile = kit.registry.packages.get('stays')?.[0]?.onnxFile as string;
    const graph = readFileSync(onnxFile);
    const before = kit.serving.get('stays');
    writeFileSync(onnxFile, 'broken');
    const config = JSON.stringify({ instance_group: [{ count: 2 }], response_cache: { enable: true } });
    const load = () => post('repository/models/stays/load', { parameters: { config } });
    const failed = await load();
    expect([failed.status, failed.json().error]).toEqual([400, expect.stringMatching(/^failed to load 'stays': .*could not be loaded/)]);
    const { config: settings, state, revision, traffic } = kit.serving.get('stays');
    expect({ settings, state, revision, traffic }).toEqual({ settings: before.config, state: 'ready', revision: before.revision, traffic: before.traffic });
    expect(kit.serving.stats('stays').cache).toBeNull();
    expect((await ask(1, {}, 'stays')).json().outputs[0].data).toEqual([1]);
    const entry = async () => (await post('repository/index')).json().find(({ name }: { name: string }) => name === 'stays');
    expect(await entry()).toEqual({
      name: 'stays',
      version: '1',
      state: 'READY',
      reason: expect.stringMatching(/^the last load failed: .*could not be loaded/),
    });
    writeFileSync(onnxFile, graph);
    expect((await load()).status).toBe(200);
    expect(kit.serving.get('stays').config).toEqual({ instances: 2, cache: { maxMiB: 64 } });
    expect(await entry()).toEqual({ name: 'stays', version: '1', state: 'READY' });
    await kit.serving.delete('stays');
  });

  it.each([
    ['nope', {}, /^400 failed to load 'nope', failed to poll from model repository/],
    ['sum', { parameters: { config: '{' } }, /^400 failed to load 'sum': the configuration is no JSON/],
    ['sum', { parameters: { config: 5 } }, /^400 attempt to access JSON non-string as string/],
    ['sum', { parameters: { config: '{"max_batch_size":-1}' } }, /^400 failed to load 'sum': 'max_batch_size' must be a whole number/],
    ['sum', { parameters: { config: '{"ensemble_scheduling":{}}' } }, /'ensemble_scheduling' has no meaning for a model of the registry/],
    ['sum', { parameters: { 'file:1/model.onnx': 'AAAA' } }, /^501 failed to load 'sum': it comes from the registry/],
    ['sum', { parameters: { 'file:1/model.onnx': '$' } }, /^400 the parameter 'file:1\/model.onnx' is not base64/],
    ['sum', { parameters: { other: 'x' } }, /^400 the parameter 'other' is not known/],
    ['sum', '[', /^400 failed to parse the request JSON buffer/],
    ['sum', '[]', /^400 the request must be a JSON object/],
  ])('refuses to load %s with %s', async (model, body, message) => {
    const reply = await post(`repository/models/${model}/load`, body);
    expect(`${reply.status} ${reply.json().error}`).toMatch(message);
  });

  it('takes its own methods and paths only', async () => {
    expect((await send(`${kit.url}/v2/repository/index`)).status).toBe(405);
    for (const path of ['repository', 'repository/models/sum', 'repository/a/b/index', 'repository/models/sum/other'])
      expect((await post(path)).status).toBe(404);
  });
});

describe('the configuration', () => {
  it('is made of what is loaded', async () => {
    expect(await get('models/sum/config')).toMatchObject({
      name: 'sum',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      max_batch_size: 1024,
      version_policy: { specific: { versions: [1] } },
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2] }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [1] }],
      instance_group: [{ kind: 'KIND_CPU', count: 1 }],
    });
    expect((await get('models/text/versions/1/config')).input[0].data_type).toBe('TYPE_STRING');
    const fixed = await get('models/fixed/config');
    expect([fixed.max_batch_size, fixed.input[0].dims, fixed.dynamic_batching]).toEqual([0, [2, 2], undefined]);
    expect((await send(`${kit.url}/v2/models/nope/config`)).status).toBe(404);
  });
});

describe('statistics', () => {
  it('count requests, rows, runs and failures', async () => {
    await kit.deploy('counted', sum(2));
    for (let i = 0; i < 3; i++) expect((await ask(4, {}, 'counted')).status).toBe(200);
    expect((await kit.infer('counted', { inputs: [] })).status).toBe(400);
    const stats = async () => (await get('models/counted/versions/1/stats')).model_stats[0];
    await until(async () => (await stats()).inference_stats.success.count === 3 && (await stats()).inference_stats.fail.count === 1);
    const seen = await stats();
    expect(seen).toMatchObject({ name: 'counted', version: '1', inference_count: 12, execution_count: 3 });
    expect(Date.now() - seen.last_inference).toBeLessThan(60_000);
    expect(seen.inference_stats.compute_infer.count).toBe(3);
    expect(seen.inference_stats.success.ns).toBeGreaterThan(seen.inference_stats.compute_infer.ns);
    expect(seen.inference_stats.compute_infer.ns).toBeGreaterThan(0);
    const { success, queue, compute_input, compute_infer, compute_output } = seen.inference_stats;
    expect(compute_input.ns).toBeGreaterThan(0);
    expect(compute_output.ns).toBeGreaterThan(0);
    expect(queue.ns + compute_input.ns + compute_infer.ns + compute_output.ns).toBeLessThan(success.ns);
    expect(seen.batch_stats).toMatchObject([{ batch_size: 4, compute_input, compute_infer, compute_output }]);
    const memory = kit.serving.get('counted').versions[0]?.memoryBytes;
    expect(memory).toEqual(expect.any(Number));
    expect(seen.memory_usage).toEqual([{ type: 'CPU', id: 0, byte_size: memory }]);
    expect((await get('models/stats')).model_stats.map((one: { name: string }) => one.name)).toEqual(['counted', 'fixed', 'sum', 'text']);
    const text = tritonMetrics(kit.serving);
    for (const phase of ['queue', 'compute_input', 'compute_infer', 'compute_output']) {
      const micros = Number(new RegExp(`^nv_inference_${phase}_duration_us{model="counted",version="1"} (\\d+)$`, 'm').exec(text)?.[1]);
      expect(Math.abs(micros - seen.inference_stats[phase].ns / 1000)).toBeLessThanOrEqual(0.501);
    }
    expect(text).toContain('nv_inference_request_success{model="counted",version="1"} 3\n');
    expect(text).toContain('nv_inference_count{model="counted",version="1"} 12\n');
    expect(text).toContain('nv_inference_exec_count{model="counted",version="1"} 3\n');
    expect(text).toContain('nv_inference_request_failure{model="counted",version="1",reason="OTHER"} 1\n');
    expect(text).toContain('nv_inference_pending_request_count{model="counted",version="1"} 0\n');
    expect(text).not.toContain('nv_cache');
    await kit.serving.delete('counted');
  });

  it('of what is not served are refused in Triton’s words', async () => {
    const none = await send(`${kit.url}/v2/models/nope/stats`);
    expect([none.status, none.json().error]).toEqual([400, "requested model 'nope' is not available"]);
    expect(await get('models/sum/versions/9/stats')).toEqual({ error: "requested model version is not available for model 'sum'" });
  });
});

describe('traces', () => {
  const records = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { id: number; timestamps?: { name: string; ns: number }[]; activity?: string }[];
  const written = async (file: string) => {
    await until(() => {
      try {
        return records(file).length > 0;
      } catch {
        return false;
      }
    });
    return records(file);
  };

  it('are off, and written as Triton writes them when they are on', async () => {
    const { trace_file: file, ...off } = await get('trace/setting');
    expect(off).toEqual({ trace_level: ['OFF'], trace_rate: '1000', trace_count: '-1', log_frequency: '0', trace_mode: 'triton' });
    expect(
      (await post('trace/setting', { trace_level: ['TIMESTAMPS', 'TENSORS'], trace_rate: '2', trace_count: '2', log_frequency: '1' })).json(),
    ).toMatchObject({
      trace_level: ['TIMESTAMPS', 'TENSORS'],
      trace_rate: '2',
    });
    // One of two is traced, and two at most.
    for (let i = 0; i < 7; i++) await ask(1, { id: `t${i}` });
    const first = await written(`${file}.0`);
    expect(first[0]).toMatchObject({ model_name: 'sum', model_version: 1 });
    const times = first.find(({ timestamps }) => timestamps !== undefined)?.timestamps ?? [];
    expect(times.map(({ name }) => name)).toEqual(
      ['HTTP_RECV_START', 'HTTP_RECV_END', 'REQUEST_START', 'QUEUE_START', 'COMPUTE_START', 'COMPUTE_INPUT_END', 'COMPUTE_OUTPUT_START'].concat([
        'COMPUTE_END',
        'REQUEST_END',
        'HTTP_SEND_START',
        'HTTP_SEND_END',
      ]),
    );
    times.slice(1, 8).forEach(({ ns }, i) => expect(ns).toBeGreaterThanOrEqual(times[i]?.ns ?? 0));
    expect(first.filter(({ activity }) => activity !== undefined)).toMatchObject([
      { activity: 'TENSOR_QUEUE_INPUT', tensor: { name: 'x', data: '0,1', shape: '1,2', dtype: 'FP32' } },
      { activity: 'TENSOR_BACKEND_OUTPUT', tensor: { name: 'y', data: '1', shape: '1,1', dtype: 'FP32' } },
    ]);
    await written(`${file}.1`);
    expect(() => records(`${file}.2`)).toThrow();
    expect((await get('trace/setting')).trace_count).toBe('0');
    expect((await post('models/sum/trace/setting', { trace_level: ['OFF'] })).json().trace_level).toEqual(['OFF']);
    expect((await post('models/sum/trace/setting', {})).json().trace_level).toEqual(['TIMESTAMPS', 'TENSORS']);
    await post('trace/setting', { trace_level: null, trace_rate: null, trace_count: null, log_frequency: null });
    expect((await get('trace/setting')).trace_level).toEqual(['OFF']);
  });

  it('without a frequency go into one file, whole when the server ends', async () => {
    const own = await servingKit();
    await own.deploy('sum', sum(2));
    const setting = (await send(`${own.url}/v2/trace/setting`, { body: '{"trace_level":["TIMESTAMPS"],"trace_rate":"1"}' })).json();
    for (let i = 0; i < 3; i++) await own.infer('sum', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
    await own.close();
    expect(records(setting.trace_file).filter(({ timestamps }) => timestamps !== undefined)).toHaveLength(3);
  });

  it('are refused in Triton’s words', async () => {
    const file = await post('trace/setting', { trace_file: '/tmp/x' });
    expect([file.status, file.json().error]).toEqual([501, 'trace file location can not be updated through network protocol']);
    expect((await post('trace/setting', { trace_rate: '0' })).json().error).toMatch(/^Unable to parse 'trace_rate', got: 0/);
    expect((await post('models/nope/trace/setting', {})).json().error).toBe('Request for unknown model : nope');
  });
});

describe('the log', () => {
  it('is told what to say', async () => {
    const before = { log_file: '', log_info: true, log_warning: true, log_error: true, log_verbose_level: 0, log_format: 'default' };
    expect(await get('logging')).toEqual(before);
    expect((await post('logging', { log_verbose_level: 2, log_info: false, log_format: 'ISO8601', else: 1 })).json()).toEqual({
      ...before,
      log_verbose_level: 2,
      log_info: false,
      log_format: 'ISO8601',
    });
    expect((await post('logging', { log_verbose_level: 0, log_info: true, log_format: 'default' })).json()).toEqual(before);
    const file = await post('logging', { log_file: '/tmp/x' });
    expect([file.status, file.json().error]).toEqual([501, expect.stringContaining('log file location can not be updated through network protocol')]);
    for (const wrong of [{ log_info: 5 }, { log_verbose_level: -1 }, { log_format: 'x' }]) expect((await post('logging', wrong)).status).toBe(400);
    expect((await send(`${kit.url}/v2/logging`, { method: 'PUT', body: '{}' })).headers.allow).toBe('GET, POST');
  });
});
