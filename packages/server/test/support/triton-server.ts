import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const environment = process.env.BINNACLE_TRITON ?? fileURLToPath(new URL('../../../../.cache/venv-triton', import.meta.url));

/** A model of Triton's Python backend. */
export interface TritonModel {
  name: string;
  /** config.pbtxt without its name and backend. */
  config: string;
  /** model.py: a class TritonPythonModel. */
  python: string;
  /** Further files of the model's folder, such as labels. */
  files?: Record<string, string>;
}

export interface TritonServer {
  url: string;
  grpcPort: number;
  metricsUrl: string;
  /** The model repository's folder. */
  repository: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function writeTritonModel(repository: string, model: TritonModel): void {
  const folder = join(repository, model.name);
  mkdirSync(join(folder, '1'), { recursive: true });
  writeFileSync(join(folder, '1/model.py'), model.python);
  writeFileSync(join(folder, 'config.pbtxt'), `name: "${model.name}"\nbackend: "python"\n${model.config}\n`);
  for (const [name, text] of Object.entries(model.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const ask = (python: string, code: string): string => spawnSync(python, ['-c', code], { encoding: 'utf8' }).stdout.trim();

/** Triton's own binary (as nvidia-pytriton brings it, with its Python backend) over models of ours. */
export async function startTriton(models: TritonModel[], args: string[] = []): Promise<TritonServer> {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-triton-'));
  const repository = join(dir, 'models');
  mkdirSync(repository);
  for (const model of models) writeTritonModel(repository, model);
  const python = join(environment, 'bin/python');
  const version = readdirSync(join(environment, 'lib')).find((name) => name.startsWith('python')) ?? 'python3';
  const packages = join(environment, 'lib', version, 'site-packages');
  const home = join(packages, 'pytriton/tritonserver');
  // The backend looks for the stub of this Python beside itself.
  const stub = join(home, 'backends/python/triton_python_backend_stub');
  if (!existsSync(stub)) copyFileSync(join(home, 'python_backend_stubs', version.replace('python', ''), 'triton_python_backend_stub'), stub);
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const log = join(dir, 'server.log');
  const child = spawn(
    join(home, 'bin/tritonserver'),
    [
      ['--model-repository', repository, '--backend-directory', join(home, 'backends')],
      ['--http-address', '127.0.0.1', '--http-port', String(http), '--grpc-address', '127.0.0.1', '--grpc-port', String(grpc)],
      ['--metrics-address', '127.0.0.1', '--metrics-port', String(metrics)],
      args,
    ].flat(),
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${join(environment, 'bin')}${delimiter}${process.env.PATH ?? ''}`,
        PYTHONPATH: packages,
        LD_LIBRARY_PATH: [join(packages, 'nvidia_pytriton.libs'), ask(python, 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')].join(delimiter),
      },
    },
  );
  const out = createWriteStream(log);
  child.stdout.pipe(out);
  child.stderr.pipe(out);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${http}`;
  const live = async (): Promise<boolean> => (await fetch(`${url}/v2/health/live`).catch(() => undefined))?.status === 200;
  for (const end = Date.now() + 60_000; !(await live()); await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (child.exitCode !== null || Date.now() > end) {
      child.kill('SIGKILL');
      throw new Error(`Triton did not start:\n${readFileSync(log, 'utf8').slice(-3000)}`);
    }
  }
  return {
    url,
    grpcPort: grpc,
    metricsUrl: `http://127.0.0.1:${metrics}/metrics`,
    repository,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}
