import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { createDockerHost } from '../adapters/docker/index.ts';
import { createEnvironments, createProcessHost, httpProbe } from '../adapters/process/index.ts';
import type { Logger } from '../kernel/index.ts';
import { createPythonRuntime, type PythonRuntime } from '../serving/index.ts';
import { remoteRuntime } from './remote-models.ts';

/** How Python models run: in containers, as processes with environments of their own, or (undefined) not at all. */
export function openPython(config: Config, logger: Logger): PythonRuntime | undefined {
  const { python, pythonInterpreter, pythonImage, pythonNetwork, pythonEnv } = config.serving;
  if (python === 'off') return undefined;
  const runDir = join(config.dataDir, 'run');
  const host =
    python === 'container'
      ? createDockerHost({ owner: config.dataDir, runDir, image: pythonImage, network: pythonNetwork, passEnv: pythonEnv })
      : createProcessHost({
          environments: createEnvironments({ root: join(config.dataDir, 'environments'), interpreter: pythonInterpreter, passEnv: pythonEnv }),
          runDir,
          passEnv: pythonEnv,
        });
  return createPythonRuntime({ host, probe: httpProbe, client: remoteRuntime(config, ['127.0.0.1']), logDir: join(config.dataDir, 'logs', 'models'), logger });
}
