import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointConfig } from '@binnacle/contract';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createProcessHost, httpProbe } from '../../src/adapters/process/index.ts';
import { Backoff } from '../../src/compute/index.ts';
import { invalid, silentLogger, unavailable } from '../../src/kernel/index.ts';
import { createPythonRuntime, type PackageRuntime, type PythonRuntime, type Tensor } from '../../src/serving/index.ts';
import { sum } from '../support/onnx-graphs.ts';
import { send, type ServingKit, servingKit, until } from '../support/serving.ts';

/** Stands in for a scoring server: doubles, tells its process id, and fails as it is told. */
const SERVER = `
  const [port] = process.argv.slice(1);
  require('node:http').createServer((request, response) => {
    if (request.url === '/ping') return response.end();
    let text = '';
    request.on('data', (part) => { text += part; }).on('end', () => {
      const { values } = JSON.parse(text);
      console.log('asked for ' + values);
      if (values[0] === 13) { console.error('MemoryError: out of luck'); process.exit(9); }
      if (values[0] === 14) for (;;);
      response.end(JSON.stringify({ values: values.map((value) => 2 * value), pid: process.pid }));
    });
  }).listen(Number(port), '127.0.0.1');
  console.log('up, process ' + process.pid);
`;

const client: PackageRuntime = {
  async load(pkg) {
    if (pkg.runtime?.kind !== 'remote') throw invalid('not_remote', 'a server elsewhere is what this asks');
    const { url } = pkg.runtime;
    return {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
      tier: 'remote',
      runMicros: 100,
      rowMicros: 100,
      batchable: false,
      slots: Number.POSITIVE_INFINITY,
      async execute(inputs) {
        const [input] = inputs as [Tensor];
        const values = [...(input.data as Float32Array)];
        const response = await fetch(url, { method: 'POST', body: JSON.stringify({ values }) }).catch((cause: unknown) => {
          throw unavailable('remote_unreachable', 'it cannot be reached', { retryAfterSeconds: 1, cause });
        });
        const answer = (await response.json()) as { values: number[] };
        return [{ name: 'y', datatype: 'FP32', shape: input.shape, data: Float32Array.from(answer.values) }];
      },
      close: async () => {},
    };
  },
};

let dir: string;
let runtime: PythonRuntime;
let kit: ServingKit;

const infer = (values: number[], endpoint = 'py') =>
  kit.infer(endpoint, { inputs: [{ name: 'x', datatype: 'FP32', shape: [values.length / 2, 2], data: values }] });
const log = (version?: number) => kit.serving.logs('py', { limit: 100, ...(version === undefined ? {} : { version }) });
const processId = () => Number(/process (\d+)/.exec(log().lines.findLast(({ text }) => text.startsWith('up, process'))?.text ?? '')?.[1]);

async function deploy(endpoint: string, command: string[] = ['{python}', '-e', SERVER, '{port}'], config: EndpointConfig = {}) {
  const pkg = await kit.registry.add(endpoint, sum(2));
  pkg.runtime = { kind: 'python', command, protocol: 'mlflow' };
  pkg.onnxFile = null;
  return kit.serving.deploy(endpoint, { model: endpoint, traffic: [{ version: pkg.version, weight: 100, shadow: false }], config });
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-python-'));
  const environments = { describe: async () => 'with Node', pythonOf: async () => process.execPath, sweep: async () => 0, close: async () => {} };
  runtime = createPythonRuntime({
    host: createProcessHost({ environments, runDir: join(dir, 'run') }),
    probe: httpProbe,
    client,
    logDir: join(dir, 'logs'),
    logger: silentLogger,
    supervision: {
      backoff: () => new Backoff({ firstMs: 300, longestMs: 300, loopAfter: 3 }, () => 0.999),
      startTimeoutMs: 20_000,
      graceMs: 2000,
      healthMs: 200,
    },
  });
  kit = await servingKit({ runtimes: { python: runtime } });
});
afterEach(async () => {
  await kit.close();
  await runtime.close();
  rmSync(dir, { recursive: true, force: true });
});

it('answers through a server that was started for it, which ends with the endpoint', async () => {
  const endpoint = await deploy('py');
  expect(endpoint).toMatchObject({ state: 'ready', versions: [{ state: 'ready', tier: 'process', error: null }] });
  expect((await infer([1, 2])).json().outputs[0].data).toEqual([2, 4]);
  await until(() => (kit.serving.get('py').versions[0]?.memoryBytes ?? 0) > 2 ** 20, 10_000);
  const pid = processId();
  await kit.serving.delete('py');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

it('is told of, refused and healed when its server is killed, while others go on', async () => {
  await deploy('py');
  await kit.deploy('onnx', sum(2));
  const before = processId();
  process.kill(before, 'SIGKILL');
  await until(() => kit.serving.get('py').state === 'degraded');
  const { message, versions } = kit.serving.get('py');
  expect(message).toMatch(
    /^The server of py version 1 failed: it was killed by SIGKILL\. Its last lines:\nup, process \d+\. It is started again in less than a second\.$/,
  );
  expect(versions[0]).toMatchObject({ state: 'failed', error: message });
  const refused = await infer([1, 2]);
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('2');
  expect(refused.json().error).not.toContain('process');
  expect((await kit.infer('onnx', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] })).status).toBe(200);
  expect((await send(`${kit.url}/v2/models/py/ready`)).status).not.toBe(200);
  await until(() => kit.serving.get('py').state === 'ready', 20_000);
  expect((await infer([3, 4])).json().outputs[0].data).toEqual([6, 8]);
  expect(processId()).not.toBe(before);
});

it('is healed when its server hangs, also while requests keep coming', async () => {
  await deploy('py', undefined, { runTimeoutMs: 300 });
  const before = processId();
  const load = new AbortController();
  const client = async (first: number): Promise<void> => {
    for (; !load.signal.aborted; await sleep(20)) await infer([first, 0]);
  };
  const hung = infer([14, 0]);
  const clients = [client(1), client(2), client(3)];
  await until(() => kit.serving.get('py').state === 'degraded', 20_000);
  expect(kit.serving.get('py').message).toMatch(/it no longer answered \/ping.*It is started again/s);
  await until(() => kit.serving.get('py').state === 'ready', 20_000);
  load.abort();
  await Promise.all([...clients, hung]);
  expect(processId()).not.toBe(before);
  expect((await infer([1, 2])).json().outputs[0].data).toEqual([2, 4]);
});

it('is left alone while it is only slow', async () => {
  await deploy('py', ['{python}', '-e', SERVER.replace('for (;;);', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);'), '{port}']);
  const before = processId();
  expect((await infer([14, 0])).status).toBe(200);
  expect(kit.serving.get('py').state).toBe('ready');
  expect(processId()).toBe(before);
});

it('answers a request in whose course the server ends with 503', async () => {
  await deploy('py');
  const reply = await infer([13, 0]);
  expect(reply.status).toBe(503);
  expect(reply.headers['retry-after']).toBeDefined();
  await until(() => kit.serving.get('py').message.includes('MemoryError: out of luck'));
  await until(() => kit.serving.get('py').state === 'ready', 20_000);
});

it('keeps the log of a server, in memory and in a file, to be followed', async () => {
  await deploy('py');
  await infer([1, 2]);
  const first = log(1);
  expect(first.version).toBe(1);
  expect(first.lines.map(({ text }) => text)).toContain('asked for 1,2');
  await infer([5, 6]);
  const more = kit.serving.logs('py', { limit: 100, after: first.next });
  expect(more.lines.map(({ text }) => text)).toEqual(['asked for 5,6']);
  await until(() => readFileSync(join(dir, 'logs', 'py', '1.log'), 'utf8').includes('stdout asked for 5,6\n'));
  expect(() => kit.serving.logs('py', { limit: 1, version: 9 })).toThrow("Version 9 of the endpoint 'py' has a log");
  await kit.deploy('onnx', sum(2));
  expect(() => kit.serving.logs('onnx', { limit: 1 })).toThrow('only the servers of Python models have one');
});

it('says why a version does not start, with its last words, and keeps its log', async () => {
  const endpoint = await deploy('py', ['{python}', '-e', "console.error('No module named sklearn'); process.exit(1)"]);
  expect(endpoint.state).toBe('failed');
  expect(endpoint.message).toContain(
    'py version 1 could not be loaded: The server of py version 1 failed: it ended with exit code 1. Its last lines:\nNo module named sklearn',
  );
  expect(log().lines.map(({ text }) => text)).toContain('No module named sklearn');
  expect((await infer([1, 2])).status).toBe(503);
});

it('leaves the old version serving when a new one does not start, and ends the old one’s server after a swap', async () => {
  await deploy('py');
  const old = processId();
  await deploy('py', ['{python}', '-e', 'process.exit(3)']);
  expect(kit.serving.get('py')).toMatchObject({ state: 'degraded', message: expect.stringContaining('exit code 3') });
  expect((await infer([1, 2])).json().outputs[0].data).toEqual([2, 4]);
  await deploy('py');
  expect((await infer([1, 2])).json().model_version).toBe('3');
  await until(() => {
    try {
      process.kill(old, 0);
      return false;
    } catch {
      return true;
    }
  }, 10_000);
});

/** Starts, and never comes to answer. */
const HANGS = ['{python}', '-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("in no hurry, process " + process.pid)'];
const hanging = async () => {
  const said = () =>
    runtime
      .logs?.({ model: 'py', version: 1 })
      ?.read(100)
      .lines.map(({ text }) => text) ?? [];
  await until(() => said().some((text) => text.startsWith('in no hurry')), 20_000);
  return Number(/process (\d+)/.exec(said().findLast((text) => text.startsWith('in no hurry')) ?? '')?.[1]);
};

it.each(['unload', 'delete'] as const)('%s ends a start that takes long, and leaves no process', async (how) => {
  const deployed = deploy('py', HANGS).catch((error: unknown) => error);
  const pid = await hanging();
  const begun = performance.now();
  await kit.serving[how]('py');
  expect(performance.now() - begun).toBeLessThan(5000);
  await until(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  }, 5000);
  expect(readdirSync(join(dir, 'run'))).toEqual([]);
  expect(await deployed).toMatchObject(
    how === 'unload' ? { state: 'unloaded', message: 'It was unloaded. Load it to serve again.' } : { code: 'endpoint_not_found' },
  );
  if (how === 'unload') expect(kit.serving.get('py')).toMatchObject({ state: 'unloaded', versions: [] });
  // Nothing of it is in the way of what comes next.
  await deploy('py');
  if (how === 'unload') await kit.serving.load('py');
  expect((await infer([1, 2])).json().outputs[0].data).toEqual([2, 4]);
});

it('goes on with a start that another endpoint waits for, when one is unloaded', async () => {
  const late = `setTimeout(() => { ${SERVER} }, 1500); console.log('in no hurry, process ' + process.pid);`;
  const first = deploy('py', ['{python}', '-e', late, '{port}']);
  await hanging();
  const other = kit.serving.deploy('other', { model: 'py', traffic: [{ version: 1, weight: 100, shadow: false }] });
  await kit.serving.unload('py');
  expect(await first).toMatchObject({ state: 'unloaded' });
  expect(await other).toMatchObject({ state: 'ready' });
  expect((await infer([1, 2], 'other')).json().outputs[0].data).toEqual([2, 4]);
});

it('stops at once while a model is being started', async () => {
  const deployed = deploy('py', ['{python}', '-e', 'setInterval(() => {}, 1000); console.log("in no hurry")']);
  const said = () => runtime.logs?.({ model: 'py', version: 1 })?.read(10).lines ?? [];
  await until(() => said().some(({ text }) => text === 'in no hurry'), 20_000);
  await runtime.abandon();
  expect((await deployed).message).toContain('py version 1');
  expect(kit.serving.get('py').state).toBe('failed');
});

it('does not start a model without a signature, whose server would not say what it takes', async () => {
  const pkg = await kit.registry.add('py', sum(2));
  Object.assign(pkg, { runtime: { kind: 'python', protocol: 'mlflow' }, onnxFile: null, tensors: null });
  const { state, message } = await kit.serving.deploy('py', { model: 'py', traffic: [{ version: 1, weight: 100, shadow: false }] });
  expect(state).toBe('failed');
  expect(message).toContain('log the model with a signature');
});
