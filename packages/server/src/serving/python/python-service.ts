import type { Place, ServiceSpec } from '../../compute/index.ts';
import type { ModelPackage, RuntimeSpec } from '../../registry/index.ts';
import type { LoadOptions } from '../model-runtime.port.ts';
import { softwareOf } from './python-files.ts';

export type PythonSpec = Extract<RuntimeSpec, { kind: 'python' }>;

/** Answered with 200 once the model is loaded. */
export const healthPathOf = ({ protocol }: PythonSpec): string => (protocol === 'mlflow' ? '/ping' : '/v2/health/ready');

/** How a package is served: MLflow's scoring server over its folder, or the command or image that the version names. */
export async function serviceOf(pkg: ModelPackage, runtime: PythonSpec, options: LoadOptions): Promise<ServiceSpec> {
  const { command, image } = runtime;
  const { memoryLimitMiB, threads, instances, runTimeoutMs } = options;
  return {
    name: `${pkg.model} version ${pkg.version}`,
    software: image === undefined ? await softwareOf(pkg.dir, command === undefined) : { kind: 'image', image },
    command: (place) => {
      if (command !== undefined) return command.map((word) => fillIn(word, place, pkg.model));
      return image === undefined ? mlflowServe(place, instances ?? 1) : [];
    },
    env: {
      // No model has reason to tell anybody that it is served.
      MLFLOW_DISABLE_TELEMETRY: 'true',
      // Compiled code beside the sources would be a file that the package did not have when it was registered.
      PYTHONDONTWRITEBYTECODE: '1',
      DO_NOT_TRACK: 'true',
      ...(runTimeoutMs === undefined ? {} : { MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT: `${Math.ceil(runTimeoutMs / 1000)}` }),
    },
    folders: { model: pkg.dir },
    limits: { memoryMiB: memoryLimitMiB, cpus: threads },
  };
}

const mlflowServe = ({ python, host, port, folders }: Place, workers: number): string[] => {
  const words = `-m mlflow models serve --env-manager local --host ${host} --port ${port} --workers ${workers}`.split(' ');
  return [python, ...words, '--model-uri', folders['model'] ?? ''];
};

const fillIn = (word: string, { python, host, port, socket, folders }: Place, name: string): string => {
  const values: Record<string, string> = { python, host, port: `${port}`, socket: socket ?? '', model: folders['model'] ?? '', name };
  return word.replace(/\{(python|host|port|socket|model|name)\}/g, (_, key: string) => values[key] ?? '');
};
