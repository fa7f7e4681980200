import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT, script } from './paths.ts';
import { freePort, runToEnd } from './process.ts';
import { launch, type Server, type ServerOptions } from './servers.ts';

const environmentOf = (name: string): { bin: string; packages: string } => {
  const dir = join(ROOT, '.cache', name);
  const python = readdirSync(join(dir, 'lib')).find((entry) => entry.startsWith('python')) ?? 'python3';
  return { bin: join(dir, 'bin'), packages: join(dir, 'lib', python, 'site-packages') };
};

export interface ModelServer extends Server {
  grpcPort: number;
}

/** MLServer with the model as a custom runtime, inference in its own process (parallel_workers 0), no adaptive batching. */
export async function startMlServer(options: ServerOptions & { model: string; name: string }): Promise<ModelServer> {
  const { bin } = environmentOf('venv-mlserver');
  const dir = join(options.dir, 'mlserver');
  mkdirSync(dir, { recursive: true });
  copyFileSync(script('mlserver_onnx.py'), join(dir, 'mlserver_onnx.py'));
  const [port, grpcPort, metrics] = [await freePort(), await freePort(), await freePort()];
  const settings = {
    http_port: port,
    grpc_port: grpcPort,
    metrics_port: metrics,
    parallel_workers: 0,
    host: '127.0.0.1',
    debug: false,
    logging_settings: null,
  };
  writeFileSync(join(dir, 'settings.json'), JSON.stringify(settings));
  writeFileSync(join(dir, 'model-settings.json'), JSON.stringify({ name: options.name, implementation: 'mlserver_onnx.OnnxModel' }));
  const env = { MODEL: options.model, PYTHONPATH: dir, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  const server = await launch(join(bin, 'mlserver'), ['start', dir], port, `/v2/models/${options.name}/ready`, options, env, dir);
  return { ...server, grpcPort };
}

/** BentoML, one worker. `batchable`: its adaptive batching. */
export async function startBentoMl(options: ServerOptions & { model: string; batchable: boolean }): Promise<Server> {
  const { bin } = environmentOf('venv-bench');
  mkdirSync(options.dir, { recursive: true });
  const port = await freePort();
  const env = {
    MODEL: options.model,
    BATCHABLE: options.batchable ? '1' : '0',
    BENTOML_DO_NOT_TRACK: 'True',
    BENTOML_HOME: join(options.dir, 'home'),
    PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  };
  const argv = ['serve', 'bento_service:Tabular', '--working-dir', join(script('bento_service.py'), '..'), '--host', '127.0.0.1', '--port', String(port)];
  return await launch(join(bin, 'bentoml'), argv, port, '/readyz', options, env, options.dir);
}

export interface TritonModel {
  name: string;
  file: string;
  /** Shapes without the batch. */
  inputs: { name: string; type: string; dims: number[] }[];
  outputs: { name: string; type: string; dims: number[] }[];
  maxBatch: number;
}

/** Triton's own binary, as pytriton brings it, with its Python backend. */
export async function startTriton(options: ServerOptions & { model: TritonModel }): Promise<ModelServer> {
  const { bin, packages } = environmentOf('venv-triton');
  const { model } = options;
  const folder = join(options.dir, 'models', model.name);
  mkdirSync(join(folder, '1'), { recursive: true });
  copyFileSync(script('triton_model.py'), join(folder, '1/model.py'));
  const tensors = (all: TritonModel['inputs']) => all.map(({ name, type, dims }) => `{ name: "${name}" data_type: ${type} dims: [${dims}] }`).join(', ');
  const batching = model.maxBatch > 0 ? 'dynamic_batching { }\n' : '';
  writeFileSync(
    join(folder, 'config.pbtxt'),
    `name: "${model.name}"\nbackend: "python"\nmax_batch_size: ${model.maxBatch}\ninput [ ${tensors(model.inputs)} ]\noutput [ ${tensors(model.outputs)} ]\n${batching}`,
  );
  const home = join(packages, 'pytriton/tritonserver');
  const version = (await runToEnd(join(bin, 'python'), ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { cores: '0' })).trim();
  const lib = (await runToEnd(join(bin, 'python'), ['-c', 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))'], { cores: '0' })).trim();
  // The backend looks for the stub of this Python beside itself.
  const stub = join(home, 'backends/python/triton_python_backend_stub');
  if (!existsSync(stub)) copyFileSync(join(home, 'python_backend_stubs', version, 'triton_python_backend_stub'), stub);
  const [port, grpcPort, metrics] = [await freePort(), await freePort(), await freePort()];
  const argv = ['--model-repository', join(options.dir, 'models'), '--backend-directory', join(home, 'backends'), '--log-verbose', '0'];
  argv.push('--http-port', String(port), '--grpc-port', String(grpcPort), '--metrics-port', String(metrics), '--http-address', '127.0.0.1');
  const env = {
    MODEL: model.file,
    PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
    PYTHONPATH: packages,
    LD_LIBRARY_PATH: `${join(packages, 'nvidia_pytriton.libs')}${delimiter}${lib}`,
  };
  const server = await launch(join(home, 'bin/tritonserver'), argv, port, `/v2/models/${model.name}/ready`, options, env, options.dir);
  return { ...server, grpcPort };
}
