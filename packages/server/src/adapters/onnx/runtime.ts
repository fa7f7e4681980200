import { basename } from 'node:path';
import { invalid, type Logger, silentLogger } from '../../kernel/index.ts';
import { prepareLauncher } from '../../launcher/index.ts';
import type { LoadedModel, LoadOptions, ModelRuntime, Tensor } from '../../serving/index.ts';
import { openSession } from './binding.ts';
import { inspectFile } from './graph.ts';
import { KnownModels } from './known-models.ts';
import { InlineModel, PooledModel } from './onnx-model.ts';
import type { Opened } from './open.ts';
import { SessionPool } from './pool.ts';
import { SessionProcess } from './process/session-process.ts';
import { providerNotice, type SessionSettings, usable } from './session-settings.ts';
import { SessionWorker } from './session-worker.ts';

/** A run below this is cheaper on the main thread than the way to a worker and back. */
const INLINE_RUN_MICROS = 200;
/** Making a session blocks its thread: one that takes longer stays in its worker, so that loading a model holds nobody up. */
const INLINE_OPEN_MS = 20;
const LOAD_TIMEOUT_MS = 120_000;
/** Node and ONNX Runtime alone. */
const LEAST_MEMORY_MIB = 128;

export interface OnnxRuntimeOptions {
  instances?: number;
  threads?: number;
  logger?: Logger;
  /** Where the digests of models that have loaded before are kept; in memory only when absent. */
  knownModelsFile?: string;
  /** Longest time that making a session and warming it up may take in a process. */
  loadTimeoutMs?: number;
  /** Wait before the second start after a crash. */
  restartMs?: number;
}

/** Without a file, for the process. */
const remembered = new KnownModels();

/** What one load needs all the way. */
interface Load {
  file: string;
  label: string;
  settings: SessionSettings;
  sample: Tensor[] | undefined;
  instances: number;
  options: LoadOptions;
}

/** ONNX Runtime: tiny models on the main thread, slower ones in worker threads, isolated ones in processes. */
export function createOnnxRuntime(defaults: OnnxRuntimeOptions = {}): ModelRuntime {
  const { logger = silentLogger, loadTimeoutMs = LOAD_TIMEOUT_MS } = defaults;
  const restart = defaults.restartMs === undefined ? {} : { restartMs: defaults.restartMs };
  const known = defaults.knownModelsFile === undefined ? remembered : new KnownModels(defaults.knownModelsFile);

  const workers = (load: Load, size: number, measured?: Opened, first?: SessionWorker): Promise<SessionPool> => {
    const { file, label, settings, sample } = load;
    const start = (onLost: (why: string) => void) => new SessionWorker({ file, settings, sample, known: measured }, onLost);
    return SessionPool.open({ label, start, size, logger, ...restart }, first);
  };

  /** The model in processes of its own: nothing that it does there reaches the server. */
  async function isolated(load: Load): Promise<LoadedModel> {
    const { file, label, settings, sample, instances, options } = load;
    const { memoryLimitMiB, runTimeoutMs } = options;
    await inspectFile(file);
    if (memoryLimitMiB !== undefined && memoryLimitMiB < LEAST_MEMORY_MIB)
      throw invalid('memory_limit_low', `memoryLimitMiB is ${memoryLimitMiB}, but the runtime alone takes about 80 MiB; give it at least ${LEAST_MEMORY_MIB}`);
    const start = (onLost: (why: string | undefined) => void) =>
      new SessionProcess({ label, file, settings, sample, loadTimeoutMs, runTimeoutMs, memoryLimitMiB }, onLost);
    const pool = await SessionPool.open({ label, start, size: instances, logger, ...restart });
    const opened = await pool.opened;
    note(load, opened);
    return new PooledModel(label, opened, 'process', pool);
  }

  /** Loads and runs an unknown file in a process that may crash, hang and eat memory without harm. */
  async function tryOut({ file, label, settings, sample }: Load): Promise<Opened> {
    const memoryLimitMiB = Math.max(256, Math.floor(process.availableMemory() / 2 ** 21));
    const trial = new SessionProcess({ label, file, settings, sample, loadTimeoutMs, memoryLimitMiB, expendable: true });
    try {
      return await trial.opened;
    } finally {
      await trial.close();
    }
  }

  function note({ label, settings }: Load, { providers }: Opened): void {
    const notice = providerNotice(settings, providers);
    if (notice !== undefined) logger.warn({ model: label }, `${label}: ${notice}`);
  }

  /** What is known is measured in a worker, which then stays where the model is one for workers. */
  async function shared(load: Load): Promise<LoadedModel> {
    const { file, label, settings, sample, instances, options } = load;
    const { digest } = await inspectFile(file);
    let memoryBytes = await known.memoryOf(digest, settings);
    let opened: Opened;
    let worker: SessionWorker | undefined;
    if (memoryBytes === undefined) {
      opened = await tryOut(load);
      memoryBytes = opened.grownBytes;
      await known.add(digest, settings, memoryBytes);
    } else {
      worker = new SessionWorker({ file, settings, sample });
      try {
        opened = await worker.opened;
      } catch (error) {
        await worker.close();
        throw error;
      }
    }
    note(load, opened);
    const proven = { ...load, settings: usable(settings, opened.providers) };
    if (tierOf(options, opened) === 'worker') return new PooledModel(label, opened, 'worker', await workers(proven, instances, opened, worker), memoryBytes);
    await worker?.close();
    return new InlineModel(label, opened, await openSession(file, proven.settings), () => workers(proven, 1, opened), memoryBytes);
  }

  return {
    load(file, options = {}) {
      prepareLauncher();
      const { providers, memoryArena } = options;
      const load: Load = {
        file,
        label: options.label ?? basename(file),
        settings: {
          threads: options.threads ?? defaults.threads ?? 1,
          ...(providers === undefined ? {} : { providers }),
          ...(memoryArena === undefined ? {} : { memoryArena }),
        },
        sample: options.sample,
        instances: Math.max(1, options.instances ?? defaults.instances ?? 1),
        options,
      };
      return options.isolation === 'process' ? isolated(load) : shared(load);
    },
  };
}

function tierOf(options: LoadOptions, opened: Opened): 'inline' | 'worker' {
  if (options.tier === 'inline' || options.tier === 'worker') return options.tier;
  return opened.runMicros < INLINE_RUN_MICROS && opened.openMs < INLINE_OPEN_MS ? 'inline' : 'worker';
}
