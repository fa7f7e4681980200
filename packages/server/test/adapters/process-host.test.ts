import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createProcessHost, httpProbe } from '../../src/adapters/process/index.ts';
import type { Service, ServiceHost, ServiceSpec } from '../../src/compute/index.ts';
import { until } from '../support/serving.ts';

/** A service in Node, so that the test needs nothing else: answers /env, and does what its path says. */
const PROGRAM = `
  const http = require('node:http'), { spawn } = require('node:child_process');
  const [port, mode] = process.argv.slice(1);
  if (mode === 'stubborn') process.on('SIGTERM', () => console.log('not now'));
  let held = [];
  http.createServer((request, response) => {
    if (request.url === '/ping') return response.end('ok');
    if (request.url === '/env') return response.end(JSON.stringify({ env: process.env, cwd: process.cwd() }));
    if (request.url === '/grow') { held.push(Buffer.alloc(200 * 2 ** 20, 1)); return response.end('grown'); }
    if (request.url === '/child') {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
      return response.end(String(child.pid));
    }
    console.error('ending'); process.exit(7);
  }).listen(Number(port), '127.0.0.1', () => console.log('listening'));
`;

const spec = (mode = 'plain', limits: ServiceSpec['limits'] = {}): ServiceSpec => ({
  name: 'a test',
  software: { kind: 'python', python: null, requirements: '', constraints: null },
  command: ({ python, port }) => [python, '-e', PROGRAM, `${port}`, mode],
  env: { SAID: 'yes' },
  folders: {},
  limits,
});

let dir: string;
let host: ServiceHost;
let lines: string[];
const onLine = (text: string, source: string) => lines.push(`${source}: ${text}`);
const newHost = () =>
  createProcessHost({
    environments: { describe: async () => 'with Node', pythonOf: async () => process.execPath, sweep: async () => 0, close: async () => {} },
    runDir: dir,
    passEnv: ['BINNACLE_TEST_PASSED'],
  });
const up = async (service: Service) => {
  await until(() => httpProbe(service, '/ping', 1000), 20_000);
  return service;
};
const get = async (service: Service, path: string) => (await fetch(`http://${service.host}:${service.port}${path}`)).text();
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-process-'));
  host = newHost();
  lines = [];
});
afterEach(async () => {
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

it('starts a service on a loopback port with nothing of our environment but what was named', async () => {
  process.env.BINNACLE_TEST_SECRET = 'secret';
  process.env.BINNACLE_TEST_PASSED = 'passed';
  const service = await up(await host.start(spec('plain', { cpus: 2 }), onLine));
  const { env, cwd } = JSON.parse(await get(service, '/env')) as { env: Record<string, string>; cwd: string };
  expect(JSON.stringify(env)).not.toContain('secret');
  expect(env).toMatchObject({ SAID: 'yes', BINNACLE_TEST_PASSED: 'passed', LANG: 'C.UTF-8', OMP_NUM_THREADS: '2', HOME: cwd });
  expect(env.PATH?.split(':').slice(1)).toEqual(['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']);
  expect(cwd.startsWith(dir)).toBe(true);
  expect(await service.memoryBytes()).toBeGreaterThan(10 * 2 ** 20);
  await service.stop(5000);
  expect(await service.exited).toEqual({ kind: 'signal', signal: 'SIGTERM' });
  expect(readdirSync(dir)).toEqual([]);
  expect(lines).toContain('stdout: listening');
});

it('tells how a service ended by itself', async () => {
  const service = await up(await host.start(spec(), onLine));
  await get(service, '/end').catch(() => {});
  expect(await service.exited).toEqual({ kind: 'exit', code: 7 });
  expect(lines.at(-1)).toBe('stderr: ending');
});

it('tells of a program that is not there', async () => {
  const before = readdirSync(dir);
  await expect(host.start({ ...spec(), command: () => ['/nowhere/program'] }, onLine)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(readdirSync(dir)).toEqual(before);
});

it('kills what does not end in its grace', async () => {
  const service = await up(await host.start(spec('stubborn'), onLine));
  await service.stop(100);
  expect(await service.exited).toEqual({ kind: 'signal', signal: 'SIGKILL' });
  expect(lines).toContain('stdout: not now');
});

it('ends what a service started, also in a session of its own, when the service dies', async () => {
  const service = await up(await host.start(spec(), onLine));
  const child = Number(await get(service, '/child'));
  expect(alive(child)).toBe(true);
  await get(service, '/end').catch(() => {});
  await service.exited;
  await until(() => !alive(child));
});

it.runIf(existsSync('/proc/self/smaps_rollup'))('ends a service that takes more memory than it may', async () => {
  const service = await up(await host.start(spec('plain', { memoryMiB: 150 }), onLine));
  await get(service, '/grow').catch(() => {});
  expect(await service.exited).toEqual({ kind: 'memory', limitMiB: 150 });
});

it('finds and ends what an earlier process left, and leaves its own alone', async () => {
  const mine = await up(await host.start(spec(), onLine));
  const id = '0123456789abcdef0123456789abcdef';
  const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore', env: { BINNACLE_SERVICE: id } });
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore', env: { BINNACLE_SERVICE: 'another' } });
  try {
    const ended = new Promise((resolve) => left.once('exit', (_code, signal) => resolve(signal)));
    mkdirSync(join(dir, id));
    mkdirSync(join(dir, 'ffffffffffffffffffffffffffffffff'));
    expect(await host.sweep()).toBe(1);
    expect(await ended).toBe('SIGTERM');
    expect(readdirSync(dir)).toEqual([mine.id]);
    expect(await httpProbe(mine, '/ping', 5000)).toBe(true);
    expect(stranger.exitCode).toBeNull();
    expect(alive(stranger.pid as number)).toBe(true);
  } finally {
    stranger.kill('SIGKILL');
    left.kill('SIGKILL');
  }
});

it('ends all its services when it closes', async () => {
  const services = await Promise.all([host.start(spec(), onLine), host.start(spec(), onLine)]);
  await Promise.all(services.map(up));
  await host.close();
  for (const service of services) expect(await httpProbe(service, '/ping', 1000)).toBe(false);
});
