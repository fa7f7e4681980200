import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { createDockerHost } from '../adapters/docker/index.ts';
import { createEnvironments, createProcessHost, httpProbe } from '../adapters/process/index.ts';
import type { ServiceHost } from '../compute/index.ts';
import type { Logger } from '../kernel/index.ts';
import { createPythonRuntime, type PythonRuntime } from '../serving/index.ts';
import { remoteRuntime } from './remote-models.ts';

const runDirOf = (config: Config): string => join(config.dataDir, 'run');

function containers(config: Config): ServiceHost {
  const { pythonImage, pythonNetwork, pythonEnv } = config.serving;
  return createDockerHost({ owner: config.dataDir, runDir: runDirOf(config), image: pythonImage, network: pythonNetwork, passEnv: pythonEnv });
}

function processes(config: Config): ServiceHost {
  const { pythonInterpreter, pythonEnv } = config.serving;
  const environments = createEnvironments({ root: join(config.dataDir, 'environments'), interpreter: pythonInterpreter, passEnv: pythonEnv });
  return createProcessHost({ environments, runDir: runDirOf(config), passEnv: pythonEnv });
}

/** Where Python models run: in containers, or as processes with environments of their own; undefined: not at all. */
function hostOf(config: Config): ServiceHost | undefined {
  const { python } = config.serving;
  if (python === 'off') return undefined;
  return python === 'container' ? containers(config) : processes(config);
}

/**
 * Ends what a process that was killed left running on this data directory, whatever its mode was; costs two looks into folders where there is nothing. To be
 * waited for before anything is started: what runs by then is taken for left over.
 */
export async function sweepPython(config: Config, logger: Logger): Promise<void> {
  const left = await readdir(runDirOf(config)).catch(() => []);
  // Containers first: the folders that tell of them go with the second sweep.
  const ended = left.length === 0 ? 0 : await containers(config).sweep();
  const count = ended + (await processes(config).sweep());
  if (count > 0) logger.warn({ count }, 'servers and builds of Python models that an earlier process had left running were ended');
}

export function openPython(config: Config, logger: Logger): PythonRuntime | undefined {
  const host = hostOf(config);
  const logDir = join(config.dataDir, 'logs', 'models');
  return host && createPythonRuntime({ host, probe: httpProbe, client: remoteRuntime(config, ['127.0.0.1']), logDir, logger });
}

/** For `doctor`. Throws when what the configuration asks for is not there. */
export async function describePython(config: Config): Promise<string> {
  return (await hostOf(config)?.describe()) ?? 'not started (--python off)';
}
