import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OnLine, Service, ServiceHost, ServiceSpec } from '../../compute/index.ts';
import { newId } from '../../kernel/index.ts';
import { ChildService } from './child.ts';
import { cleanEnvironment } from './environment-variables.ts';
import type { Environments } from './environments.ts';
import { freePort } from './free-port.ts';
import { endProcessesOf, MARK } from './group.ts';
import { which } from './interpreter.ts';

export interface ProcessHostOptions {
  environments: Environments;
  /** Folder for the homes of running services; by their names a next start finds what a killed one left running. */
  runDir: string;
  /** Variables of ours that a service may see. */
  passEnv?: readonly string[];
}

/** Room above the memory limit for addresses that are only reserved; what really lies in memory is watched. */
const ADDRESS_ROOM_MIB = 4096;
const MIB = 1024 * 1024;

/**
 * Services as processes of this machine, under this user: kept apart from our environment and our process, not from this user's files. For those who
 * trust the models' authors.
 */
export function createProcessHost({ environments, runDir, passEnv = [] }: ProcessHostOptions): ServiceHost {
  const running = new Set<Service>();

  async function start(spec: ServiceSpec, onLine: OnLine): Promise<Service> {
    const python = await environments.pythonOf(spec.software, onLine);
    const id = newId();
    const home = join(runDir, id);
    await mkdir(join(home, 'tmp'), { recursive: true, mode: 0o700 });
    const port = await freePort();
    const command = spec.command({ python, host: '127.0.0.1', port, folders: spec.folders });
    const { memoryMiB, cpus } = spec.limits;
    const prlimit = memoryMiB === undefined ? undefined : which('prlimit');
    const limited =
      prlimit === undefined || memoryMiB === undefined ? command : [prlimit, `--as=${(memoryMiB + ADDRESS_ROOM_MIB) * MIB}`, '--core=0', '--', ...command];
    const [program = '', ...argv] = limited;
    onLine(command.join(' '), 'binnacle');
    const service: Service = await ChildService.start({
      id,
      port,
      program,
      argv,
      home,
      memoryMiB,
      onLine,
      env: { ...cleanEnvironment(home, dirname(python), passEnv), ...threadLimits(cpus), ...spec.env, [MARK]: id },
    });
    running.add(service);
    void service.exited.then(() => running.delete(service));
    return service;
  }

  return {
    describe: async () => `processes of this machine, ${await environments.describe()}`,
    prepare: async (spec, onLine, signal) => void (await environments.pythonOf(spec.software, onLine, signal)),
    start,

    async sweep() {
      const names = (await readdir(runDir).catch(() => [])).filter((name) => /^[0-9a-f]{32}$/.test(name));
      const ours = new Set([...running].map(({ id }) => id));
      const left = await Promise.all(names.filter((name) => !ours.has(name)).map(endLeftOver));
      return left.filter((was) => was).length + (await environments.sweep());
    },

    async close() {
      await Promise.all([...running].map((service) => service.stop(2000)));
      await environments.close();
    },
  };

  /** True when something still ran. */
  async function endLeftOver(id: string): Promise<boolean> {
    const count = await endProcessesOf(id);
    await rm(join(runDir, id), { recursive: true, force: true }).catch(() => {});
    return count > 0;
  }
}

/** A process has no share of processors of its own; numerical libraries are told how many threads to use. */
const threadLimits = (cpus: number | undefined): Record<string, string> =>
  cpus === undefined
    ? {}
    : Object.fromEntries(['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS'].map((name) => [name, `${Math.ceil(cpus)}`]));
