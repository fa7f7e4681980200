import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerEngine, hasVenv, importPythonImage, noDocker, startDocker, VENV } from '../support/docker-engine.ts';
import { savedModels, serveModel } from '../support/python-models.ts';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { send, until } from '../support/serving.ts';

const IMAGE = 'binnacle-test-mlflow:1';

describe.skipIf(noDocker !== undefined || !hasVenv)('Python models in containers', () => {
  let engine: DockerEngine;
  let data: string;
  let models: string;
  let server: RunningServer;
  const up = () => startServer({ data, args: ['--python-image', IMAGE], env: { DOCKER_HOST: engine.url, AWS_SECRET_ACCESS_KEY: 'a secret' } });
  const greet = (name: string) =>
    send(`${server.url}/endpoints/greeter/invocations`, {
      body: JSON.stringify({ dataframe_split: { columns: ['name', 'times'], data: [[name, 3]] } }),
      headers: { 'content-type': 'application/json' },
    });
  const endpoint = async () => (await send(`${server.url}/api/binnacle/v1/endpoints/greeter`)).json();
  const healed = () => until(async () => (await endpoint()).state === 'ready', 120_000);

  beforeAll(async () => {
    const started = await startDocker();
    if (started === undefined) throw new Error('dockerd is there and does not start');
    engine = started;
    data = temporaryFolder('python-data');
    [models] = await Promise.all([savedModels(), importPythonImage(engine, VENV, IMAGE)]);
    server = await up();
  });
  afterAll(async () => {
    await server?.stop();
    await engine?.close();
    for (const dir of [data, models]) rmSync(dir, { recursive: true, force: true });
  });

  it('serves a pickle through MLflow’s server in a container without a network', async () => {
    const served = await serveModel(server.url, models, 'greeter', { memoryLimitMiB: 800, threads: 1 });
    expect(served, served.message).toMatchObject({ state: 'ready', versions: [{ tier: 'process', state: 'ready' }] });
    const reply = await greet('Ada');
    expect(reply.status, reply.body.toString()).toBe(200);
    expect(reply.body.toString()).toContain('hello Ada 3');
    expect((await greet('secret')).body.toString()).not.toMatch(/AWS_|BINNACLE_DATA/);
    const [container] = JSON.parse(await engine.docker('inspect', (await engine.docker('ps', '-q')).trim()));
    expect(container.HostConfig).toMatchObject({ NetworkMode: 'none', ReadonlyRootfs: true, Memory: 800 * 2 ** 20, NanoCpus: 1e9 });
    expect(container.Config.User).toBe('65534:65534');
    await until(async () => (await endpoint()).versions[0].memoryBytes > 50 * 2 ** 20, 30_000);
  });

  it('tells of a model that took too much memory, or was killed, and heals it', async () => {
    await greet('grow');
    await until(async () => (await endpoint()).state === 'degraded', 60_000);
    await healed();
    await engine.docker('kill', (await engine.docker('ps', '-q')).trim());
    await until(async () => (await endpoint()).message.includes('it was killed by SIGKILL'), 30_000);
    expect((await greet('Ada')).status).toBe(503);
    await healed();
    expect((await greet('Ada')).status).toBe(200);
  });

  it('ends a start in a container when the endpoint is unloaded meanwhile', async () => {
    const ask = (what: string) => send(`${server.url}/api/binnacle/v1/endpoints/greeter/${what}`, { method: 'POST' });
    expect((await ask('unload')).json().state).toBe('unloaded');
    await until(async () => (await engine.docker('ps', '-aq')) === '', 30_000);
    const loading = ask('load');
    await until(async () => (await engine.docker('ps', '-q')) !== '', 60_000);
    expect((await endpoint()).state).toBe('loading');
    expect((await ask('unload')).json().state).toBe('unloaded');
    expect((await loading).json().state).toBe('unloaded');
    await until(async () => (await engine.docker('ps', '-aq')) === '', 5000);
    expect((await ask('load')).json().state).toBe('ready');
    expect((await greet('Ada')).status).toBe(200);
  });

  it('ends what a killed server left, and leaves nothing when it stops', async () => {
    const before = (await engine.docker('ps', '-q')).trim();
    expect(before).not.toBe('');
    await server.stop('SIGKILL');
    expect((await engine.docker('ps', '-q')).trim()).toBe(before);
    server = await up();
    await healed();
    const after = (await engine.docker('ps', '-aq')).trim();
    expect(after).toMatch(/^[0-9a-f]{12}$/);
    expect(after).not.toBe(before);
    expect(await server.stop()).toBe(0);
    expect(await engine.docker('ps', '-aq')).toBe('');
  });
});
