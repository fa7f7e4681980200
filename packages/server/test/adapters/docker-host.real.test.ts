import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDockerHost } from '../../src/adapters/docker/index.ts';
import { httpProbe } from '../../src/adapters/process/index.ts';
import type { Service, ServiceHost, ServiceSpec, Software } from '../../src/compute/index.ts';
import { type DockerEngine, hasVenv, importPythonImage, noDocker, startDocker, VENV } from '../support/docker-engine.ts';
import { until } from '../support/serving.ts';

const IMAGE = 'binnacle-test-python:1';

/** A server that tells what it can reach and does what its path says. */
const PROGRAM = `
import http.server, json, os, socket, socketserver, sys
held = []
def tried(do):
    try:
        do(); return 'done'
    except Exception as error:
        return type(error).__name__
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def address_string(self): return ''
    def do_GET(self):
        if self.path == '/grow':
            held.append(bytearray(os.urandom(1)) * (300 * 2 ** 20))
        if self.path == '/end':
            print('ending', file=sys.stderr, flush=True); os._exit(7)
        body = json.dumps({
            'uid': os.getuid(), 'env': dict(os.environ), 'model': os.listdir('/model'),
            'writeModel': tried(lambda: open('/model/x', 'w')), 'writeRoot': tried(lambda: open('/x', 'w')), 'writeTmp': tried(lambda: open('/tmp/x', 'w')),
            'network': tried(lambda: socket.create_connection(('1.1.1.1', 53), 2)), 'interfaces': [name for _, name in socket.if_nameindex()],
            'setuid': tried(lambda: os.setuid(0)),
        }).encode() if self.path == '/facts' else b'ok'
        self.send_response(200); self.send_header('content-length', str(len(body))); self.end_headers(); self.wfile.write(body)
path, port = os.environ.get('BINNACLE_SOCKET'), int(os.environ['PORT'])
class Unix(socketserver.ThreadingUnixStreamServer):
    def get_request(self):
        request, _ = super().get_request(); return request, ('', 0)
server = Unix(path, Handler) if path else http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
print('listening', flush=True)
server.serve_forever()
`;

const ready: Software = { kind: 'image', image: IMAGE };

describe.skipIf(noDocker !== undefined || !hasVenv)('services in containers', () => {
  let engine: DockerEngine;
  let runDir: string;
  let model: string;
  let host: ServiceHost;
  let lines: string[];
  const onLine = (text: string, source: string) => lines.push(`${source}: ${text}`);
  const newHost = (options: { network?: 'none' | 'host'; image?: string; owner?: string; dockerHost?: string } = {}) =>
    createDockerHost({ owner: '/data', runDir, network: 'none', dockerHost: engine.url, passEnv: ['BINNACLE_TEST_PASSED'], ...options });
  const spec = (limits: ServiceSpec['limits'] = {}, software: Software = ready): ServiceSpec => ({
    name: 'a test',
    software,
    command: ({ python }) => [python, '-c', PROGRAM],
    env: { SAID: 'yes' },
    folders: { model },
    limits,
  });
  const up = async (from: ServiceHost, wanted: ServiceSpec) => {
    await from.prepare(wanted, onLine);
    const service = await from.start(wanted, onLine);
    await until(() => httpProbe(service, '/ping', 1000), 30_000);
    return service;
  };
  const get = async (service: Service, path: string) => (await fetch(`http://${service.host}:${service.port}${path}`)).text();

  beforeAll(async () => {
    process.env.BINNACLE_TEST_SECRET = 'secret';
    process.env.BINNACLE_TEST_PASSED = 'passed';
    const started = await startDocker();
    if (started === undefined) throw new Error('dockerd is there and does not start');
    engine = started;
    await importPythonImage(engine, VENV, IMAGE);
    await engine.docker('tag', IMAGE, 'python:3.11-slim');
  });
  afterAll(() => engine?.close());
  beforeEach(() => {
    runDir = mkdtempSync(join(tmpdir(), 'binnacle-run-'));
    model = mkdtempSync(join(tmpdir(), 'binnacle-model-'));
    chmodSync(model, 0o755);
    writeFileSync(join(model, 'MLmodel'), '');
    host = newHost();
    lines = [];
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') console.error(lines.join('\n'));
    await host.close();
    for (const dir of [runDir, model]) rmSync(dir, { recursive: true, force: true });
  });

  it('gives a service its model to read, a temporary folder, and nothing else', async () => {
    const service = await up(host, spec({ cpus: 1 }));
    const facts = JSON.parse(await get(service, '/facts')) as Record<string, unknown>;
    expect(facts).toMatchObject({
      uid: 65534,
      model: ['MLmodel'],
      writeModel: 'OSError',
      writeRoot: 'OSError',
      writeTmp: 'done',
      network: 'OSError',
      interfaces: ['lo'],
      setuid: 'PermissionError',
      env: { SAID: 'yes', BINNACLE_TEST_PASSED: 'passed', OMP_NUM_THREADS: '1' },
    });
    expect(JSON.stringify(facts)).not.toContain('secret');
    expect(await service.memoryBytes()).toBeGreaterThan(2 ** 20);
    expect(lines).toContain('stdout: listening');
    const [listed] = JSON.parse(await engine.docker('inspect', (await engine.docker('ps', '-q')).trim()));
    expect(listed.HostConfig).toMatchObject({ NanoCpus: 1e9, ReadonlyRootfs: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], PidsLimit: 1024 });
    await service.stop(20_000);
    expect(await engine.docker('ps', '-aq')).toBe('');
    expect(readdirSync(runDir)).toEqual([]);
  });

  it('runs as the owner of a model that nobody else may read, and never as root', async () => {
    chmodSync(model, 0o700);
    await expect(host.start(spec(), onLine)).rejects.toMatchObject({ code: 'model_folder_closed' });
    chownSync(model, 1234, 1234);
    const service = await up(host, spec());
    expect(JSON.parse(await get(service, '/facts'))).toMatchObject({ uid: 1234, model: ['MLmodel'], writeModel: 'OSError', writeRoot: 'OSError' });
  });

  it('ends at once on SIGTERM, and tells how a service ended by itself', async () => {
    // Python is given no handler for SIGTERM; as process 1 it would not notice.
    const service = await up(host, spec({}, { kind: 'python', python: '3.11', requirements: 'numpy\n', constraints: null }));
    const asked = Date.now();
    await service.stop(60_000);
    expect(Date.now() - asked).toBeLessThan(30_000);
    expect(await service.exited).toEqual({ kind: 'signal', signal: 'SIGTERM' });

    const another = await up(host, spec());
    await get(another, '/end').catch(() => {});
    expect(await another.exited).toEqual({ kind: 'exit', code: 7 });
    expect(lines.at(-1)).toBe('stderr: ending');
  });

  it('tells when a service took more memory than it may', async () => {
    const service = await up(host, spec({ memoryMiB: 100 }));
    await get(service, '/grow').catch(() => {});
    expect(await service.exited).toEqual({ kind: 'memory', limitMiB: 100 });
  });

  it('notices a container that somebody removed', async () => {
    const service = await up(host, spec());
    await engine.docker('rm', '-f', (await engine.docker('ps', '-q')).trim());
    expect(['lost', 'signal']).toContain((await service.exited).kind);
  });

  it('builds an image a set of requirements, once, and says what pip said when that fails', async () => {
    const python: Software = { kind: 'python', python: '3.11', requirements: 'numpy\npandas\n', constraints: 'numpy>1\n' };
    await Promise.all([host.prepare(spec({}, python), onLine), host.prepare(spec({}, python), onLine)]);
    expect(lines.filter((line) => line.startsWith('binnacle: building'))).toHaveLength(1);
    expect(lines.some((line) => line.includes('Requirement already satisfied: numpy'))).toBe(true);
    lines = [];
    await newHost().prepare(spec({}, python), onLine);
    expect(lines).toEqual([]);
    const refused = host.prepare(spec({}, { ...python, requirements: 'numpy==0.0.1\n' }), onLine);
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable', code: 'image_not_built', message: expect.stringContaining('numpy==0.0.1') });
  });

  it('takes an image that has everything instead', async () => {
    await newHost({ image: IMAGE }).prepare(spec({}, { kind: 'python', python: '3.9', requirements: 'nothing-such==1\n', constraints: null }), onLine);
    expect(lines).toEqual([]);
  });

  it('says which image could not be fetched', async () => {
    const wanted = host.prepare(spec({}, { kind: 'image', image: '127.0.0.1:9/none:1' }), onLine);
    await expect(wanted).rejects.toMatchObject({ code: 'image_missing', message: expect.stringContaining('docker pull 127.0.0.1:9/none:1') });
  });

  it('listens on loopback where it shares the host’s network', async () => {
    const shared = newHost({ network: 'host' });
    const service = await up(shared, spec());
    expect(service.host).toBe('127.0.0.1');
    expect(JSON.parse(await get(service, '/facts')).interfaces.length).toBeGreaterThanOrEqual(1);
    await shared.close();
  });

  it('removes what an earlier process of this data directory left, and nothing of another’s', async () => {
    const crashed = await up(newHost(), spec());
    const other = newHost({ owner: '/elsewhere' });
    const theirs = await up(other, spec());
    expect(await host.sweep()).toBe(1);
    await crashed.exited;
    expect(await httpProbe(theirs, '/ping', 5000)).toBe(true);
    expect(await host.sweep()).toBe(0);
    await other.close();
  });
});

it('says what to do where there is no Docker', async () => {
  const host = createDockerHost({ owner: '/data', runDir: tmpdir(), network: 'none', dockerHost: 'unix:///nowhere/docker.sock' });
  const wanted: ServiceSpec = { name: 'm', software: ready, command: () => [], env: {}, folders: {}, limits: {} };
  await expect(host.prepare(wanted, () => {})).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'docker_missing',
    message: expect.stringContaining('--python environment'),
  });
  expect(await host.sweep()).toBe(0);
  const remote = createDockerHost({ owner: '/data', runDir: tmpdir(), network: 'none', dockerHost: 'tcp://127.0.0.1:2375' });
  await expect(remote.prepare(wanted, () => {})).rejects.toMatchObject({ code: 'docker_missing', message: expect.stringContaining('DOCKER_HOST') });
});
