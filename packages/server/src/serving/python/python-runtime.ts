import { join } from 'node:path';
import { Backoff, type HealthProbe, type ServiceHost, ServiceLog, Supervisor, type SupervisorOptions } from '../../compute/index.ts';
import { invalid, type Logger, unavailable } from '../../kernel/index.ts';
import type { ModelPackage } from '../../registry/index.ts';
import type { LoadedModel, LoadOptions, PackageRuntime } from '../model-runtime.port.ts';
import { Activity } from './activity.ts';
import { healthPathOf, serviceOf } from './python-service.ts';
import { SupervisedModel } from './supervised-model.ts';

/** What a run may take where nobody has set a limit: requests to other servers end after this. */
const SILENCE_MS = 60_000;

export interface PythonRuntimeDeps {
  host: ServiceHost;
  probe: HealthProbe;
  /** Asks a server for predictions, wherever it is: what executes packages of the kind `remote`. */
  client: PackageRuntime;
  /** Folder for the logs of the servers. */
  logDir: string;
  logger: Logger;
  /** Times of the supervision, for tests. */
  supervision?: Partial<Pick<SupervisorOptions, 'startTimeoutMs' | 'graceMs' | 'healthMs'>> & { backoff?: () => Backoff };
}

/** Logs of versions that are not served any more are read from memory for so many. */
const KEPT_LOGS = 100;

export interface PythonRuntime extends PackageRuntime {
  /** Ends what is being built or started, whose `load` then fails, and starts nothing any more: a server that stops does not wait for it. */
  abandon(): Promise<void>;
  close(): Promise<void>;
}

/** Python models: each behind a server of its own, which is started here, watched and brought back. None of it is loaded in this process. */
export function createPythonRuntime(deps: PythonRuntimeDeps): PythonRuntime {
  const { host, logger } = deps;
  const logs = new Map<string, ServiceLog>();
  const keyOf = ({ model, version }: Pick<ModelPackage, 'model' | 'version'>): string => `${encodeURIComponent(model)}/${version}`;
  const starting = new Set<Supervisor>();
  let swept: Promise<void> | undefined;
  let abandoned = false;

  function logFor(pkg: ModelPackage): ServiceLog {
    const key = keyOf(pkg);
    const log = logs.get(key) ?? new ServiceLog(join(deps.logDir, `${key}.log`));
    logs.delete(key);
    logs.set(key, log);
    for (const [oldest] of logs) if (logs.size > KEPT_LOGS) logs.delete(oldest);
    return log;
  }

  async function sweep(): Promise<void> {
    const count = await host.sweep();
    if (count > 0) logger.warn({ count }, 'servers of Python models that an earlier process had left running were ended');
  }

  async function load(pkg: ModelPackage, options: LoadOptions = {}): Promise<LoadedModel> {
    const { runtime } = pkg;
    if (runtime?.kind !== 'python') throw invalid('not_python', `${pkg.model} version ${pkg.version} is no Python model.`);
    if (runtime.protocol === 'mlflow' && pkg.tensors === null)
      throw invalid(
        'signature_missing',
        'MLflow’s scoring protocol does not say what a model takes: log the model with a signature of its inputs, and register it again.',
      );
    const { signal } = options;
    await (swept ??= sweep());
    const spec = await serviceOf(pkg, runtime, options);
    if (abandoned) throw unavailable('server_stopping', 'The server is stopping, and starts no models any more.');
    if (signal?.aborted === true) throw unavailable('given_up', 'It is no longer wanted, and was not started.');
    const log = logFor(pkg);
    let client: LoadedModel | undefined;
    const activity = new Activity(options.runTimeoutMs ?? SILENCE_MS);
    const supervisor = new Supervisor({
      ...deps.supervision,
      backoff: deps.supervision?.backoff?.() ?? new Backoff(),
      host,
      spec,
      log,
      probe: deps.probe,
      healthPath: healthPathOf(runtime),
      check: async () => pkg.checkFiles?.(),
      idle: () => !activity.mayBeBusy,
      async onReady(service) {
        const url = `http://${service.host}:${service.port}`;
        const { runTimeoutMs } = options;
        const before = client;
        client = await deps.client.load(
          {
            ...pkg,
            runtime: { kind: 'remote', protocol: runtime.protocol, url, model: pkg.model, ...(runTimeoutMs === undefined ? {} : { timeoutMs: runTimeoutMs }) },
          },
          options,
        );
        await before?.close();
      },
      onChange: (problem) => {
        if (problem === undefined) logger.info({ model: pkg.model, version: pkg.version }, 'the server of a Python model is ready');
        else if (client !== undefined) logger.warn({ model: pkg.model, version: pkg.version }, problem);
      },
    });
    const giveUp = (): void => void supervisor.stop().catch(() => {});
    signal?.addEventListener('abort', giveUp, { once: true });
    starting.add(supervisor);
    try {
      await supervisor.start();
    } finally {
      starting.delete(supervisor);
      signal?.removeEventListener('abort', giveUp);
    }
    return new SupervisedModel({ name: spec.name, supervisor, activity, client: () => client as LoadedModel });
  }

  return {
    load,
    logs: (pkg) => logs.get(keyOf(pkg)),
    async abandon() {
      abandoned = true;
      await Promise.all([...starting].map((supervisor) => supervisor.stop()));
    },
    close: () => host.close(),
  };
}
