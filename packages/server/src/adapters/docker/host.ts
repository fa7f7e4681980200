import { createHash } from 'node:crypto';
import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnLine, Service, ServiceHost, ServiceSpec } from '../../compute/index.ts';
import { BinnacleError, messageOf, newId, unavailable } from '../../kernel/index.ts';
import { ContainerService } from './container.ts';
import { creation, type Network, PORT, SOCKET_NAME } from './creation.ts';
import { createEngine, type Engine, socketOf } from './engine.ts';
import { freePort } from './free-port.ts';
import { createImages } from './images.ts';
import { openRelay, relayDirOf } from './relay.ts';
import { userFor } from './user.ts';

export interface DockerHostOptions {
  /** Whose containers these are: the data directory. */
  owner: string;
  /** Folder for the sockets of running containers. */
  runDir: string;
  /** An image that has everything: none is built. */
  image?: string | undefined;
  network: Network;
  /** Variables of ours that pip and the services may see. */
  passEnv?: readonly string[];
  /** As DOCKER_HOST; a Unix socket. */
  dockerHost?: string | undefined;
}

/** A Docker that hangs does not keep the server from starting. */
const SWEEP_MS = 15_000;

/** Services in containers of this machine's Docker: no network by default, nothing to write to but a temporary folder, no privileges. */
export function createDockerHost(options: DockerHostOptions): ServiceHost {
  const { runDir, network } = options;
  const engine: Engine = createEngine(socketOf(options.dockerHost ?? process.env.DOCKER_HOST));
  const passed = Object.fromEntries(
    (options.passEnv ?? []).flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const images = createImages({ engine, ready: options.image, buildArgs: passed });
  const owner = createHash('sha256').update(options.owner).digest('hex').slice(0, 32);
  const running = new Set<Service>();

  let init: Promise<boolean> | undefined;

  async function start(spec: ServiceSpec, onLine: OnLine): Promise<Service> {
    const image = await images.imageFor(spec.software, onLine);
    const id = newId();
    // Sockets have short paths at most; folders are bound by their whole path.
    const dir = join(runDir, id);
    const user = await userFor(Object.values(spec.folders));
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (process.getuid?.() === 0) await chown(dir, user.uid, user.gid);
    const port = network === 'none' ? PORT : await freePort();
    const clean = () => removeDirs(dir);
    let containerId: string | undefined;
    let relay: { port: number; close(): void } | undefined;
    try {
      const wanted = creation({
        spec,
        image,
        network,
        port,
        socketDir: dir,
        user,
        init: await hasInit(),
        env: { ...passed, ...spec.env },
        labels: { 'binnacle.owner': owner, 'binnacle.service': id },
      });
      onLine(`docker run ${image} ${(wanted.Cmd ?? []).join(' ')}`, 'binnacle');
      const made = await engine.call<{ Id: string; Warnings?: string[] | null }>('/containers/create', {
        method: 'POST',
        query: { name: `binnacle-${id.slice(0, 12)}` },
        json: wanted,
      });
      containerId = made.Id;
      for (const warning of made.Warnings ?? []) onLine(warning, 'binnacle');
      await engine.call(`/containers/${containerId}/start`, { method: 'POST' });
      relay = network === 'none' ? await openRelay(join(dir, SOCKET_NAME)) : undefined;
    } catch (error) {
      if (containerId !== undefined) await engine.call(`/containers/${containerId}`, { method: 'DELETE', query: { force: true, v: true } }).catch(() => {});
      await clean();
      if (error instanceof BinnacleError) throw error;
      throw unavailable('container_failed', `The container of ${spec.name} could not be started: ${messageOf(error)}`, { cause: error });
    }
    const opened = relay;
    const service: Service = new ContainerService({
      engine,
      id,
      containerId,
      port: opened?.port ?? port,
      memoryMiB: spec.limits.memoryMiB,
      onLine,
      async onGone() {
        opened?.close();
        running.delete(service);
        await clean();
      },
    });
    running.add(service);
    return service;
  }

  function hasInit(): Promise<boolean> {
    init ??= engine.call<{ InitCommit?: { ID?: string } }>('/info').then(
      ({ InitCommit }) => !['', 'N/A'].includes(InitCommit?.ID ?? ''),
      () => false,
    );
    return init;
  }

  return {
    async describe() {
      const { Version = 'of an unknown version' } = await engine.call<{ Version?: string }>('/version');
      return `containers, by Docker ${Version}, ${network === 'none' ? 'without a network' : `with the network ${network}`}`;
    },
    prepare: async (spec, onLine, signal) => void (await images.imageFor(spec.software, onLine, signal)),
    start,

    async sweep() {
      const filters = JSON.stringify({ label: [`binnacle.owner=${owner}`] });
      let left: { Id: string; State: string; Labels: Record<string, string> }[];
      try {
        left = await engine.call('/containers/json', { query: { all: true, filters }, signal: AbortSignal.timeout(SWEEP_MS) });
      } catch {
        // No Docker: nothing can have been left there, or nothing can be done about it now.
        return 0;
      }
      const ours = new Set([...running].map(({ id }) => id));
      const stale = left.filter(({ Labels }) => !ours.has(Labels['binnacle.service'] ?? ''));
      await Promise.all(
        stale.map(async ({ Id, Labels }) => {
          await engine.call(`/containers/${Id}`, { method: 'DELETE', query: { force: true, v: true }, signal: AbortSignal.timeout(SWEEP_MS) }).catch(() => {});
          const id = Labels['binnacle.service'] ?? '';
          if (/^[0-9a-f]{32}$/.test(id)) await removeDirs(join(runDir, id));
        }),
      );
      return stale.filter(({ State }) => State === 'running').length;
    },

    async close() {
      images.close();
      await Promise.all([...running].map((service) => service.stop(2000)));
    },
  };
}

async function removeDirs(dir: string): Promise<void> {
  for (const path of [dir, relayDirOf(dir)]) await rm(path, { recursive: true, force: true }).catch(() => {});
}
