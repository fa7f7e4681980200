import { createClient } from '../client.ts';
import { newRunId, type SeriesEntry } from '../entries.ts';
import { reporter } from '../reporter.ts';
import { createRunBody, openHttpSink, RunLogger, type StartRunOptions } from '../run-logger.ts';
import type { RunSink } from '../run-sink.ts';
import { AutoSink } from './auto-sink.ts';
import { FileSink } from './file-sink.ts';
import { type HardwareOptions, HardwareSampler } from './hardware/sampler.ts';
import { openFile } from './open-file.ts';
import { FORMAT, type RunLine } from './record.ts';
import { captureSource, type SourceOptions, sourceTags, userName } from './source/capture.ts';
import { thisWriter } from './writer.ts';

/** How a run of a Node process starts. */
export interface NodeRunOptions extends Omit<StartRunOptions, 'baseUrl'> {
  /** Default: BINNACLE_URL, else http://127.0.0.1:8000. */
  baseUrl?: string;
  /**
   * `online`: straight to the server, which must answer at the start. `offline`: into a folder, for `binnacle sync`. `auto`: into a folder, and from
   * there to the server while it answers; what it was not there for stays. Default: BINNACLE_MODE; else `offline` when a folder is named; else `online`.
   */
  mode?: 'online' | 'offline' | 'auto';
  /** The folder of offline runs. Default: BINNACLE_OFFLINE_DIR, else `binnacle-offline`. */
  offline?: string;
  /** CPU, memory, disk, network, this process and the GPUs as `system/…` series; false switches it off. */
  hardware?: boolean | HardwareOptions;
  /** Tags and artifacts of the source code: git, the entry script, the packages; false switches it off. */
  source?: boolean | SourceOptions;
}

const DEFAULT_URL = 'http://127.0.0.1:8000';
const DEFAULT_DIR = 'binnacle-offline';
const MODES: readonly string[] = ['online', 'offline', 'auto'];

/** A run of a Node process: local files can be stored, and the machine and the source are looked at beside it. */
export class NodeRunLogger extends RunLogger {
  /** The folder of a run that is recorded (`offline` and `auto`); undefined otherwise. */
  readonly folder: string | undefined;

  constructor(id: string, sink: RunSink, beforeEnd: () => Promise<unknown>, folder: string | undefined) {
    super(id, sink, beforeEnd);
    this.folder = folder;
  }

  /** Stores a local file among the run's artifacts. Await it before the file changes; it never rejects. */
  artifactFile(path: string, file: string): Promise<void> {
    return this.store(path, () => openFile(file));
  }
}

/**
 * Starts a run of a Node process; see {@link NodeRunOptions} for where it goes. Throws when it cannot begin: online when the server does not answer,
 * otherwise when the folder cannot be written.
 *
 * @example
 * await using run = await startRun({ experiment: 'churn', offline: 'runs' });
 * run.log({ loss: 0.5 });
 */
export async function startRun(given: NodeRunOptions = {}): Promise<NodeRunLogger> {
  const source = given.source === false ? undefined : given.source === true || given.source === undefined ? {} : given.source;
  const hardware = given.hardware === false ? undefined : given.hardware === true || given.hardware === undefined ? {} : given.hardware;
  const options = withDefaults(given, source === undefined ? {} : sourceTags());
  const { id, sink, folder } = await openSink(options, modeOf(given), given.offline ?? process.env['BINNACLE_OFFLINE_DIR'] ?? DEFAULT_DIR);
  const sampler = hardware && new HardwareSampler((values, step) => sink.add(metricsOf(values, step)), hardware);
  sampler?.start();
  const capturing = source && capture(sink, source);
  return new NodeRunLogger(id, sink, () => Promise.all([sampler?.stop(), capturing]), folder);
}

function withDefaults(given: NodeRunOptions, tags: Record<string, string>): StartRunOptions {
  const token = given.token ?? process.env['BINNACLE_TOKEN'];
  const user = given.user ?? userName();
  return {
    ...given,
    ...(user === undefined ? {} : { user }),
    baseUrl: given.baseUrl ?? process.env['BINNACLE_URL'] ?? DEFAULT_URL,
    ...(token === undefined ? {} : { token }),
    tags: { ...tags, ...given.tags },
  };
}

function modeOf(given: NodeRunOptions): 'online' | 'offline' | 'auto' {
  const named = given.mode ?? process.env['BINNACLE_MODE'];
  if (named === undefined || named === '') return given.offline === undefined ? 'online' : 'offline';
  if (!MODES.includes(named)) throw new TypeError(`The mode is ${MODES.join(', ')}; not ${JSON.stringify(named)}.`);
  return named as 'online' | 'offline' | 'auto';
}

async function openSink(options: StartRunOptions, mode: 'online' | 'offline' | 'auto', dir: string): Promise<{ id: string; sink: RunSink; folder?: string }> {
  if (mode === 'online') return openHttpSink(options);
  const runId = options.runId ?? newRunId();
  if (!/^[0-9a-f]{32}$/.test(runId)) throw new TypeError(`A run id is 32 lower-case hexadecimal digits; not ${JSON.stringify(runId)}.`);
  const startedAt = Date.now();
  const { experiment = 'Default', params = {}, tags = {} } = createRunBody(options, startedAt);
  const { name, user, fork } = options;
  const run: RunLine = {
    kind: 'run',
    version: FORMAT,
    runId,
    experiment,
    startedAt,
    params,
    tags,
    ...(name === undefined ? {} : { name }),
    ...(user === undefined ? {} : { user }),
    ...(fork === undefined ? {} : { fork }),
    writer: thisWriter(),
  };
  const report = reporter(runId, options.onError);
  const record = await FileSink.open(dir, run, options, report);
  const sink = mode === 'offline' ? record : new AutoSink(record, createClient(options), options, report);
  return { id: runId, sink, folder: record.folder };
}

function metricsOf(values: Record<string, number>, step: number): SeriesEntry[] {
  const timestamp = Date.now();
  return Object.entries(values).map(([key, value]) => ({ kind: 'metric', key, value, step, timestamp }));
}

async function capture(sink: RunSink, options: SourceOptions): Promise<void> {
  try {
    const { tags, artifacts } = await captureSource(options);
    sink.add(Object.entries(tags).map(([key, value]) => ({ kind: 'tag', key, value })));
    for (const { path, content } of artifacts) void sink.put(path, new Blob([content]));
  } catch (error) {
    sink.refuse('source', error);
  }
}
