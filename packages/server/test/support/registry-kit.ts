import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderArtifactStore } from '../../src/adapters/fs/index.ts';
import { createGraphInspector } from '../../src/adapters/onnx/index.ts';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { type ArtifactService, createArtifactService } from '../../src/artifacts/index.ts';
import { createGatesService, type GatesService, type ModelRunner } from '../../src/gates/index.ts';
import { type OutboxEvent, silentLogger } from '../../src/kernel/index.ts';
import {
  createRegistryService,
  createRegistryViews,
  type PythonMode,
  type EndpointDirectory,
  type LoggedModelSummary,
  type RegistryService,
  type RegistryStore,
  type RegistryViews,
  type RunDirectory,
  type RunSummary,
} from '../../src/registry/index.ts';

/** A run that tests know by heart. */
export interface FakeRun extends Partial<RunSummary> {
  metrics?: Record<string, number>;
}

export interface RegistryKit {
  root: string;
  artifacts: ArtifactService;
  registry: RegistryService;
  views: RegistryViews;
  gates: GatesService;
  store: RegistryStore;
  events: OutboxEvent[];
  runs: Map<string, FakeRun>;
  loggedModels: Map<string, LoggedModelSummary>;
  noted: string[];
  endpoints: { model: string; endpoint: string; versions: number[] }[];
  /** Puts the recorded package of a flight-delays model at a path of the artifact store. */
  putModel(path: string, which?: 'linear' | 'boosted' | 'bad', leaveOut?: string[]): Promise<void>;
  /** Empties everything: opening a database anew for each test costs far more. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const recorded = new URL('../../../../examples/flight-delays/recorded/', import.meta.url);
const FILES = ['MLmodel', 'model.onnx', 'binnacle/golden.json', 'conda.yaml', 'python_env.yaml', 'requirements.txt'];

/** Artifacts, registry and gates over SQLite and a folder, with runs and endpoints that the test makes up. */
export async function openRegistryKit(options: { runner?: ModelRunner; maxUploadBytes?: number; python?: PythonMode } = {}): Promise<RegistryKit> {
  const root = mkdtempSync(join(tmpdir(), 'binnacle-kit-'));
  const events: OutboxEvent[] = [];
  const engine = await openSqlite({ file: join(root, 'binnacle.db'), synchronous: 'NORMAL', onEvent: (event) => void events.push(event) });
  const artifacts = createArtifactService({
    store: await openFolderArtifactStore({ root: join(root, 'artifacts') }),
    maxUploadBytes: options.maxUploadBytes ?? 50_000_000,
  });
  const store = storeProxy<RegistryStore>(engine, 'registry');
  const runs = new Map<string, FakeRun>();
  const loggedModels = new Map<string, LoggedModelSummary>();
  const noted: string[] = [];
  const served: RegistryKit['endpoints'] = [];
  const directory: RunDirectory = {
    async run(runId) {
      const run = runs.get(runId);
      return run && { runId, experimentId: '1', name: `run ${runId}`, artifactUri: `mlflow-artifacts:/1/${runId}/artifacts`, datasets: [], ...run };
    },
    async metrics(runId, keys) {
      const all = runs.get(runId)?.metrics ?? {};
      return keys === undefined ? all : Object.fromEntries(keys.filter((key) => key in all).map((key) => [key, all[key] as number]));
    },
    loggedModel: async (modelId) => loggedModels.get(modelId),
    loggedModelOfRun: async (runId, name) => [...loggedModels.values()].find((model) => model.sourceRunId === runId && model.name === name),
    noteVersion: async (modelId, model, version) => void noted.push(`${modelId} → ${model}/${version}`),
  };
  const endpoints: EndpointDirectory = { endpointsOf: async (model) => served.filter((endpoint) => endpoint.model === model) };
  const noRunner: ModelRunner = {
    open: async () => {
      throw new Error('no runner in this test');
    },
  };
  let gates: GatesService;
  const registry = createRegistryService({
    store,
    artifacts,
    inspector: createGraphInspector(),
    runs: directory,
    guard: { check: (request) => gates.check(request) },
    endpoints,
    logger: silentLogger,
    get python() {
      return options.python;
    },
  });
  gates = createGatesService({ registry, runs: directory, runner: options.runner ?? noRunner, logger: silentLogger });
  return {
    root,
    artifacts,
    registry,
    gates,
    store,
    events,
    runs,
    loggedModels,
    noted,
    endpoints: served,
    views: createRegistryViews({ registry, runs: directory, endpoints, artifacts }),
    async putModel(path, which = 'linear', leaveOut = []) {
      for (const file of FILES) if (!leaveOut.includes(file)) await artifacts.put(`${path}/${file}`, readFileSync(new URL(`${which}/model/${file}`, recorded)));
    },
    async reset() {
      const { items } = await store.searchModels({ conditions: [], orderBy: [], limit: 1000, excludePrompts: false });
      for (const { name } of items) await store.deleteModel(name);
      for (const { path } of await artifacts.list('')) rmSync(join(root, 'artifacts', path), { recursive: true });
      for (const list of [events, noted, served]) list.length = 0;
      for (const map of [runs, loggedModels]) map.clear();
    },
    async close() {
      await engine.close();
      rmSync(root, { recursive: true });
    },
  };
}

export const recordedFile = (path: string): Buffer => readFileSync(new URL(path, recorded));
