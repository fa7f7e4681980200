import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { createDockerHost } from '../adapters/docker/index.ts';
import { createEnvironments, createProcessHost, httpProbe } from '../adapters/process/index.ts';
import type { ServiceHost } from '../compute/index.ts';
import type { Logger } from '../kernel/index.ts';
import { createPythonRuntime, type PythonRuntime } from '../serving/index.ts';
import { remoteRuntime } from './remote-models.ts';

/** Where Python models run: in containers, or as processes with environments of their own; undefined: not at all. */
function hostOf(config: Config): ServiceHost | undefined {
  const { python, pythonInterpreter, pythonImage, pythonNetwork, pythonEnv } = config.serving;
  if (python === 'off') return undefined;
  const runDir = join(config.dataDir, 'run');
  if (python === 'container') return createDockerHost({ owner: config.dataDir, runDir, image: pythonImage, network: pythonNetwork, passEnv: pythonEnv });
  const environments = createEnvironments({ root: join(config.dataDir, 'environments'), interpreter: pythonInterpreter, passEnv: pythonEnv });
  return createProcessHost({ environments, runDir, passEnv: pythonEnv });
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
