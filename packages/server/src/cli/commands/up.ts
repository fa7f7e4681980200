import { loadConfig } from '../../config/index.ts';
import { started } from '../lean-start.ts';
import { bold, dim, say } from '../output.ts';

export interface UpOptions {
  data?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  grpcPort?: number | undefined;
  remoteHost?: string[] | undefined;
  remoteSecrets?: string | undefined;
  modelRepository?: string[] | undefined;
  modelControlMode?: string | undefined;
  repositoryPollSecs?: number | undefined;
  loadModel?: string[] | undefined;
  sharedMemory?: boolean | undefined;
  python?: string | undefined;
  pythonInterpreter?: string | undefined;
  pythonImage?: string | undefined;
  pythonNetwork?: string | undefined;
  pythonEnv?: string[] | undefined;
  token?: string | undefined;
  allowedHost?: string[] | undefined;
  defaultEndpoint?: string | undefined;
  artifacts?: string | undefined;
  database?: string | undefined;
  batchRoot?: string[] | undefined;
  logLevel?: string | undefined;
  monitoring: boolean;
}

/** Starts the server and stays until a signal; the first drains, a second ends at once. */
export async function up(options: UpOptions): Promise<void> {
  const config = await loadConfig({
    data: options.data,
    host: options.host,
    port: options.port,
    grpcPort: options.grpcPort,
    modelRepository: options.modelRepository,
    modelControlMode: options.modelControlMode as never,
    repositoryPollSeconds: options.repositoryPollSecs,
    loadModels: options.loadModel,
    sharedMemory: options.sharedMemory,
    python: options.python as never,
    pythonInterpreter: options.pythonInterpreter,
    pythonImage: options.pythonImage,
    pythonNetwork: options.pythonNetwork as never,
    pythonEnv: options.pythonEnv,
    token: options.token,
    allowedHosts: options.allowedHost,
    defaultEndpoint: options.defaultEndpoint,
    artifacts: options.artifacts,
    database: options.database,
    remoteHosts: options.remoteHost,
    remoteSecrets: options.remoteSecrets,
    batchRoots: options.batchRoot,
    logLevel: options.logLevel as never,
    ...(options.monitoring ? {} : { monitoring: false }),
  });
  const { startApp } = await import('../../compose.ts');
  // Listening for signals before anybody can know that the server is up: a stop that comes at once is a clean one, too.
  const signal = untilSignal();
  const app = await startApp(config);
  started();
  say(banner(app.url, config.dataDir, config.token !== undefined, app.grpc));
  await signal;
  say(dim('stopping: finishing what runs …'));
  await app.stop();
}

/** Waits for SIGINT or SIGTERM. A second one ends the process at once. */
export async function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => {
    process.once('SIGINT', () => process.exit(130));
    process.once('SIGTERM', () => process.exit(143));
    resolve();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await promise;
}

export function banner(url: string, dataDir: string, token: boolean, grpc?: string): string {
  return [
    `${bold('Binnacle')} is up`,
    `  interface  ${bold(`${url}/ui/`)}${token ? dim('  (sign in with ?token=…)') : ''}`,
    ...(grpc === undefined ? [] : [`  gRPC       ${grpc}`]),
    `  data       ${dataDir}`,
    '',
    dim('  # log your first run from Python (pip install mlflow):'),
    '  import mlflow',
    `  mlflow.set_tracking_uri("${url}")`,
    '  mlflow.set_experiment("first"); mlflow.start_run()',
    '  mlflow.log_metric("accuracy", 0.93)',
    '',
    dim('  stop with Ctrl-C'),
  ].join('\n');
}
