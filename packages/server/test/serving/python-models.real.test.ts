import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasVenv, VENV } from '../support/docker-engine.ts';
import { savedModels, serveModel } from '../support/python-models.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { send, until } from '../support/serving.ts';

describe.skipIf(!hasVenv || process.platform !== 'linux')('Python models in a managed environment', () => {
  let data: string;
  let models: string;
  let server: RunningServer;
  /** The processes of this server's models whose command matches. */
  const processes = (pattern: RegExp): number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return (
            readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HOME=${data}/run/`) &&
            pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '))
          );
        } catch {
          return false;
        }
      })
      .map(Number);
  const up = () =>
    startServer({
      data,
      args: ['--python', 'environment', '--python-interpreter', join(VENV, 'bin/python')],
      env: { AWS_SECRET_ACCESS_KEY: 'a secret', BINNACLE_TOKEN: '' },
    });
  const invoke = (endpoint: string, body: unknown) =>
    send(`${server.url}/endpoints/${endpoint}/invocations`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  const greet = (name: string, params?: Record<string, string>) =>
    invoke('greeter', { dataframe_split: { columns: ['name', 'times'], data: [[name, 3]] }, ...(params === undefined ? {} : { params }) });
  const endpoint = async (name: string) => (await send(`${server.url}/api/binnacle/v1/endpoints/${name}`)).json();
  const healed = (name: string) => until(async () => (await endpoint(name)).state === 'ready', 120_000);

  beforeAll(async () => {
    data = temporaryFolder('python-data');
    [models, server] = await Promise.all([savedModels(), up()]);
  });
  afterAll(async () => {
    await server?.stop();
    for (const dir of [data, models]) rmSync(dir, { recursive: true, force: true });
  });

  it('serves a pickle through MLflow’s server, by both protocols', async () => {
    const served = await serveModel(server.url, models, 'linear');
    expect(served, served.message).toMatchObject({ state: 'ready', versions: [{ tier: 'process', state: 'ready' }] });
    const reply = await invoke('linear', { dataframe_split: { columns: ['a', 'b'], data: [[1, 2]] } });
    expect(reply.status, reply.body.toString()).toBe(200);
    expect(JSON.stringify(reply.json())).toMatch(/2\.99|3\.0|:3\b|\[3\b/);
    const tensors = {
      inputs: [
        { name: 'a', datatype: 'FP64', shape: [2], data: [1, 2] },
        { name: 'b', datatype: 'FP64', shape: [2], data: [2, 4] },
      ],
    };
    const inferred = await send(`${server.url}/v2/models/linear/infer`, { body: JSON.stringify(tensors), headers: { 'content-type': 'application/json' } });
    expect(inferred.status, inferred.body.toString()).toBe(200);
    expect(inferred.json().outputs[0].data.map((value: number) => Math.round(value))).toEqual([3, 6]);
    await until(async () => (await endpoint('linear')).versions[0].memoryBytes > 50 * 2 ** 20, 30_000);
  });

  it('carries strings and params, and shows the model nothing of this server’s environment', async () => {
    const served = await serveModel(server.url, models, 'greeter', { memoryLimitMiB: 900 });
    expect(served.message).toBe('');
    const reply = await greet('Ada\u0000 „Ü“');
    expect(reply.status, reply.body.toString()).toBe(200);
    expect(JSON.stringify(reply.json())).toContain(JSON.stringify('hello Ada\u0000 „Ü“ 3').slice(1, -1));
    expect((await greet('Ada', { greeting: 'ahoy' })).body.toString()).toContain('ahoy Ada 3');
    const names = (await greet('secret')).body.toString();
    expect(names).toContain('BINNACLE_SERVICE');
    expect(names).not.toMatch(/AWS_|BINNACLE_DATA|BINNACLE_TOKEN|NODE/);
  });

  it('tells of a model that ends its process, with its last words, heals it, and others serve on', async () => {
    const reply = await greet('end');
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBeDefined();
    await until(async () => (await endpoint('greeter')).message.includes('the end is near'), 30_000);
    expect(await endpoint('greeter')).toMatchObject({ state: 'degraded', versions: [{ state: 'failed' }] });
    expect((await invoke('linear', { dataframe_split: { columns: ['a', 'b'], data: [[1, 2]] } })).status).toBe(200);
    await healed('greeter');
    expect((await greet('Ada')).status).toBe(200);
  });

  it('ends a model that takes more memory than its limit, says so, and heals it', async () => {
    await greet('grow');
    await until(async () => (await endpoint('greeter')).message.includes('more memory than its limit of 900 MiB'), 30_000);
    await healed('greeter');
  });

  it('brings back a server that was killed, with the command line showing its log', async () => {
    const [uvicorn] = processes(/bin\/uvicorn .*scoring_server/);
    expect(uvicorn).toBeGreaterThan(0);
    for (const pid of processes(/bin\/uvicorn .*scoring_server/)) process.kill(pid, 'SIGKILL');
    await until(async () => (await endpoint('linear')).state === 'degraded', 30_000);
    await healed('linear');
    await healed('greeter');
    const { stdout, code } = await binnacle(['endpoints', 'logs', 'linear', '--url', server.url, '--lines', '1000']);
    expect(code).toBe(0);
    expect(stdout).toContain('Application startup complete');
    expect(stdout).toMatch(/-- .*next start in/);
    expect(readFileSync(join(data, 'logs/models/linear/1.log'), 'utf8')).toContain('Application startup complete');
  });

  it('serves a FastAPI app of one’s own that speaks Open Inference', async () => {
    const served = await serveModel(server.url, models, 'app');
    expect(served, served.message).toMatchObject({ state: 'ready', tensors: { inputs: [{ name: 'x', datatype: 'FP32' }] } });
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
    const reply = await send(`${server.url}/v2/models/app/infer`, { body, headers: { 'content-type': 'application/json' } });
    expect(reply.json().outputs[0]).toMatchObject({ name: 'y', data: [2, 4] });
  });

  it('ends what a killed server left, and leaves nothing when it stops', async () => {
    const before = processes(/scoring_server|app:app/);
    expect(before.length).toBeGreaterThanOrEqual(3);
    await server.stop('SIGKILL');
    expect(processes(/scoring_server|app:app/)).toEqual(before);
    server = await up();
    await until(() => processes(/scoring_server|app:app/).every((pid) => !before.includes(pid)), 60_000);
    for (const name of ['linear', 'greeter', 'app']) await healed(name);
    expect((await greet('Ada')).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(processes(/scoring_server|app:app|mlflow/)).toEqual([]);
    expect(readdirSync(join(data, 'run'))).toEqual([]);
  });
});
