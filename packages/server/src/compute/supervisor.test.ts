import { beforeEach, expect, it } from 'vitest';
import { Backoff } from './backoff.ts';
import type { ExitReason } from './exit-reason.ts';
import type { OnLine, Service, ServiceHost, ServiceSpec } from './service.port.ts';
import { ServiceLog } from './service-log.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

/** A host whose services do as they are told. */
class FakeHost implements ServiceHost {
  readonly started: FakeService[] = [];
  prepared = 0;
  preparing: Promise<void> | undefined;
  preparingFor: AbortSignal | undefined;
  /** What a service does when it is started. */
  script: (service: FakeService) => void = () => {};

  async describe(): Promise<string> {
    return 'nothing real';
  }
  async prepare(_spec: ServiceSpec, _onLine: OnLine, signal?: AbortSignal): Promise<void> {
    this.prepared++;
    this.preparingFor = signal;
    await this.preparing;
  }
  async start(_spec: ServiceSpec, onLine: OnLine): Promise<Service> {
    const service = new FakeService(`${this.started.length + 1}`, onLine);
    this.started.push(service);
    this.script(service);
    return service;
  }
  async sweep(): Promise<number> {
    return 0;
  }
  async close(): Promise<void> {}
  get last(): FakeService {
    return this.started.at(-1) as FakeService;
  }
}

class FakeService implements Service {
  readonly host = '127.0.0.1';
  readonly port = 1;
  readonly id: string;
  readonly say: OnLine;
  healthy = true;
  stops: number[] = [];
  end: (reason: ExitReason) => void = () => {};
  readonly exited = new Promise<ExitReason>((resolve) => {
    this.end = resolve;
  });
  constructor(id: string, say: OnLine) {
    this.id = id;
    this.say = say;
  }
  async stop(graceMs: number): Promise<void> {
    this.stops.push(graceMs);
    this.end({ kind: 'signal', signal: 'SIGTERM' });
  }
  async memoryBytes(): Promise<number | undefined> {
    return undefined;
  }
}

const spec: ServiceSpec = {
  name: 'm version 1',
  software: { kind: 'image', image: 'x' },
  command: () => ['serve'],
  env: {},
  folders: {},
  limits: {},
};

let host: FakeHost;
let log: ServiceLog;
let changes: (string | undefined)[];
const until = async (holds: () => boolean) => {
  for (const end = Date.now() + 5000; !holds(); ) {
    if (Date.now() > end) throw new Error(`did not become true: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
};
const supervise = (options: Partial<SupervisorOptions> = {}) =>
  new Supervisor({
    host,
    spec,
    log,
    healthPath: '/ping',
    probe: async (service) => (service as FakeService).healthy,
    onReady: async () => {},
    onChange: (problem) => changes.push(problem),
    backoff: new Backoff({ firstMs: 2, longestMs: 8, loopAfter: 3 }, () => 0.5),
    ...options,
  });

beforeEach(() => {
  host = new FakeHost();
  log = new ServiceLog(undefined);
  changes = [];
});

it('is ready once the service is healthy and warm', async () => {
  const order: string[] = [];
  host.script = (service) => {
    service.healthy = false;
    setTimeout(() => {
      order.push('healthy');
      service.healthy = true;
    }, 5);
  };
  const supervisor = supervise({ onReady: async () => void order.push('warm') });
  expect(supervisor.problem).toBe('it has not been started');
  await supervisor.start();
  expect(order).toEqual(['healthy', 'warm']);
  expect(supervisor.problem).toBeUndefined();
  await supervisor.stop();
  expect(host.last.stops).toEqual([10_000]);
  expect(host.started).toHaveLength(1);
});

it('says how a start failed, with the end of the log, and does not try again by itself', async () => {
  host.script = (service) => {
    service.healthy = false;
    service.say('Traceback (most recent call last):', 'stderr');
    service.say("ModuleNotFoundError: No module named 'sklearn'", 'stderr');
    service.end({ kind: 'exit', code: 1 });
  };
  await expect(supervise().start()).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'service_failed',
    message:
      "The server of m version 1 failed: it ended with exit code 1. Its last lines:\nTraceback (most recent call last):\nModuleNotFoundError: No module named 'sklearn'",
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(host.started).toHaveLength(1);
});

it('says that a program cannot be started', async () => {
  host.script = () => {
    throw new Error('spawn /nowhere/python ENOENT');
  };
  await expect(supervise().start()).rejects.toMatchObject({
    code: 'service_failed',
    message: expect.stringContaining('The server of m version 1 failed: it could not be started (spawn /nowhere/python ENOENT).') as string,
  });
});

it('ends a service that does not become healthy in time', async () => {
  host.script = (service) => {
    service.healthy = false;
  };
  await expect(supervise({ startTimeoutMs: 20 }).start()).rejects.toMatchObject({ message: expect.stringContaining('it did not answer /ping within 0 s') });
  expect(host.last.stops).toHaveLength(1);
});

it('counts a failed warm-up as a failed start', async () => {
  const onReady = async () => {
    throw new Error('no warmth');
  };
  await expect(supervise({ onReady }).start()).rejects.toThrow('no warmth');
  expect(host.last.stops).toHaveLength(1);
});

it('does not take an answer of another program on the port for that of a service that ended', async () => {
  host.script = (service) => service.end({ kind: 'exit', code: 98 });
  await expect(supervise().start()).rejects.toMatchObject({ message: expect.stringContaining('exit code 98') });
});

it('brings a service back that was killed, and says meanwhile why it cannot be used', async () => {
  const supervisor = supervise({ backoff: new Backoff({ firstMs: 60, longestMs: 60, loopAfter: 3 }, () => 0.999) });
  await supervisor.start();
  host.last.say('working', 'stdout');
  host.last.end({ kind: 'signal', signal: 'SIGKILL' });
  await until(() => supervisor.problem !== undefined);
  expect(supervisor.problem).toBe(
    'The server of m version 1 failed: it was killed by SIGKILL. Its last lines:\nworking. It is started again in less than a second.',
  );
  await until(() => supervisor.problem === undefined);
  expect(host.started).toHaveLength(2);
  expect(host.prepared).toBe(2);
  expect(changes).toHaveLength(3);
  await supervisor.stop();
});

it('calls it a crash loop after failures in a row, and forgets them after a stable while', async () => {
  let stable = 0;
  const supervisor = supervise({ now: () => stable });
  host.script = (service) => {
    if (host.started.length > 1 && host.started.length < 6) service.end({ kind: 'memory', limitMiB: 64 });
  };
  await supervisor.start();
  host.last.end({ kind: 'exit', code: 3 });
  await until(() => changes.some((problem) => problem?.startsWith('It keeps failing (3 times in a row). ')));
  expect(changes.at(-1)).toContain('it took more memory than its limit of 64 MiB');
  await until(() => host.started.length === 6 && supervisor.problem === undefined);
  stable = 60_000;
  changes.length = 0;
  host.last.end({ kind: 'exit', code: 3 });
  await until(() => host.started.length === 7 && supervisor.problem === undefined);
  expect(changes[0]).not.toContain('keeps failing');
  await supervisor.stop();
});

it('ends and restarts a service that no longer answers, unless it is busy', async () => {
  let busy = true;
  const supervisor = supervise({ healthMs: 2, idle: () => !busy });
  await supervisor.start();
  host.last.healthy = false;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(host.last.stops).toEqual([]);
  busy = false;
  await until(() => host.started.length === 2);
  expect(changes.some((problem) => problem?.includes('it no longer answered /ping'))).toBe(true);
  await supervisor.stop();
});

it('stops while it waits for a restart, and while it starts', async () => {
  const waiting = supervise({ backoff: new Backoff({ firstMs: 60_000, longestMs: 60_000, loopAfter: 3 }) });
  await waiting.start();
  host.last.end({ kind: 'exit', code: 1 });
  await until(() => waiting.problem?.includes('exit code 1') === true);
  await waiting.stop();
  expect(host.started).toHaveLength(1);

  host.script = (service) => {
    service.healthy = false;
  };
  const starting = supervise();
  const start = starting.start();
  start.catch(() => {});
  await until(() => host.started.length === 2);
  await starting.stop();
  await expect(start).rejects.toMatchObject({ code: 'service_failed' });
  expect(host.last.stops.length).toBeGreaterThan(0);
});

it('does not wait for what is being built when it is stopped, and starts nothing afterwards', async () => {
  const building = Promise.withResolvers<void>();
  host.preparing = building.promise;
  const supervisor = supervise();
  const start = supervisor.start();
  start.catch(() => {});
  await until(() => host.prepared === 1);
  await supervisor.stop();
  await expect(start).rejects.toMatchObject({ code: 'service_stopped' });
  expect(host.preparingFor?.aborted).toBe(true);
  building.resolve();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(host.started).toEqual([]);
});

it('looks at what it starts from before every start, and starts nothing that was changed', async () => {
  let changed = false;
  const supervisor = supervise({
    check: async () => {
      if (changed) throw new Error('its files were changed');
    },
  });
  await supervisor.start();
  changed = true;
  host.last.end({ kind: 'exit', code: 1 });
  await until(() => supervisor.problem?.includes('its files were changed') === true);
  expect(host.started).toHaveLength(1);
  changed = false;
  await until(() => supervisor.problem === undefined);
  expect(host.started).toHaveLength(2);
  await supervisor.stop();
});
