import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Signature } from '@binnacle/contract';
import { readParquetTable } from '../../src/adapters/duckdb/index.ts';
import { createGraphInspector, createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import type { DataPlane } from '../../src/http/data-plane/index.ts';
import { EventBus, type LogControl, notFound, silentLogger } from '../../src/kernel/index.ts';
import { mlflowScoring } from '../../src/protocols/mlflow-scoring/index.ts';
import { createCore, openInference } from '../../src/protocols/open-inference/index.ts';
import { tfServing } from '../../src/protocols/tf-serving/index.ts';
import type { ModelPackage, VersionRef } from '../../src/registry/index.ts';
import {
  createServingService,
  type EndpointStore,
  type CountedRequest,
  type FailedRequest,
  type ModelRuntime,
  type PredictionBatch,
  type RepositoryControl,
  type ServingDeps,
} from '../../src/serving/index.ts';
import { graphFile } from './onnx-graphs.ts';

/** A registry of files, as much as serving asks of one. */
export class FakeRegistry {
  readonly packages = new Map<string, ModelPackage[]>();
  readonly aliasesOf = new Map<string, Record<string, number>>();
  readonly events: EventBus;
  constructor(events: EventBus) {
    this.events = events;
  }

  async add(model: string, bytes: Uint8Array, signature: Signature | null = null): Promise<ModelPackage> {
    const file = graphFile(bytes);
    const versions = this.packages.get(model) ?? [];
    const tensors = await createGraphInspector()
      .inspect(file)
      .catch(() => null);
    const pkg: ModelPackage = {
      id: `id-of-${model}/${versions.length + 1}`,
      model,
      version: versions.length + 1,
      runId: null,
      dir: dirname(file),
      flavors: ['onnx'],
      signature,
      runtime: { kind: 'onnx' },
      onnxFile: file,
      problem: null,
      tensors: tensors === null ? null : { inputs: tensors.inputs, outputs: tensors.outputs },
      goldenFile: null,
      profileFile: null,
      trainingDataFile: null,
      settings: {},
    };
    this.packages.set(model, [...versions, pkg]);
    return pkg;
  }

  async move(model: string, alias: string, version: number): Promise<void> {
    const aliases = this.aliasesOf.get(model) ?? {};
    const previous = aliases[alias] ?? null;
    this.aliasesOf.set(model, { ...aliases, [alias]: version });
    void this.events.emit('alias.moved', { model, alias, version, previous, forced: false });
  }

  async resolve(model: string, ref: VersionRef): Promise<ModelPackage> {
    const versions = this.packages.get(model) ?? [];
    const version = ref === 'latest' ? versions.length : 'alias' in ref ? this.aliasesOf.get(model)?.[ref.alias] : ref.version;
    const found = versions.find((pkg) => pkg.version === version);
    if (found === undefined) throw notFound('version_not_found', `Model '${model}' has no version ${JSON.stringify(ref)}.`);
    return found;
  }

  async aliases(model: string): Promise<Record<string, number>> {
    return this.aliasesOf.get(model) ?? {};
  }
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json: () => any; // eslint-disable-line
}

/** One request on a connection of its own. */
export function send(url: string, options: { method?: string; headers?: Record<string, string | number>; body?: string | Uint8Array } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: options.method ?? (options.body === undefined ? 'GET' : 'POST'), headers: options.headers ?? {}, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, json: () => JSON.parse(body.toString()) });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

/** A log whose switches can be looked at. */
function stillLog(): LogControl {
  const levels = { info: true, warn: true, error: true, verbose: 0, iso: false };
  return {
    levels,
    async set(change) {
      Object.assign(levels, change);
    },
  };
}

/** Serving with everything real but the registry, behind real sockets. */
export async function servingKit(
  options: Partial<ServingDeps> & {
    maxBodyBytes?: number;
    defaultEndpoint?: string;
    stallMs?: number;
    file?: string;
    runtime?: ModelRuntime;
    logControl?: LogControl;
    repositories?: RepositoryControl;
  } = {},
) {
  const events = new EventBus(silentLogger);
  const file = options.file ?? join(mkdtempSync(join(tmpdir(), 'binnacle-serving-')), 'meta.db');
  const engine = await openSqlite({ file, synchronous: 'NORMAL', onEvent: (event) => events.emit(event.type, event.payload as never) });
  const store = storeProxy<EndpointStore>(engine, 'serving');
  const registry = new FakeRegistry(events);
  const predictions: PredictionBatch[] = [];
  const counted: CountedRequest[] = [];
  const failures: FailedRequest[] = [];
  const serving = createServingService({
    store,
    models: registry,
    runtime: createOnnxRuntime(),
    events,
    logger: silentLogger,
    reconcileMs: 200,
    sink: { record: (batch) => predictions.push(batch), recordCount: (request) => counted.push(request), recordFailure: (failure) => failures.push(failure) },
    ...options,
  });
  await serving.start();
  const common = {
    serving,
    logger: silentLogger,
    maxBodyBytes: options.maxBodyBytes ?? 64 * 2 ** 20,
    ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }),
  };
  const core = createCore({
    serving,
    logger: silentLogger,
    version: '0.0.0',
    sharedMemory: true,
    traceFile: join(dirname(file), 'traces/trace.json'),
    logControl: options.logControl ?? stillLog(),
    repositories: options.repositories,
  });
  const planes: DataPlane[] = [
    openInference({ ...common, core }),
    mlflowScoring({ ...common, readParquet: readParquetTable, mlflowVersion: '3.17.2', defaultEndpoint: options.defaultEndpoint }),
    tfServing(common),
  ];
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (!planes.some((plane) => plane(request, response, path))) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    events,
    store,
    registry,
    predictions,
    counted,
    failures,
    serving,
    core,
    url,
    file,
    async deploy(endpoint: string, bytes: Uint8Array, signature: Signature | null = null) {
      const { version } = await registry.add(endpoint, bytes, signature);
      return serving.deploy(endpoint, { model: endpoint, traffic: [{ version, weight: 100, shadow: false }] });
    },
    /** A model that another runtime executes (`runtimes`). */
    async deployOther(endpoint: string, runtime: NonNullable<ModelPackage['runtime']>) {
      const pkg = await registry.add(endpoint, new Uint8Array());
      Object.assign(pkg, { runtime, onnxFile: null });
      return serving.deploy(endpoint, { model: endpoint, traffic: [{ version: pkg.version, weight: 100, shadow: false }] });
    },
    infer: (endpoint: string, body: unknown, headers: Record<string, string> = {}) =>
      send(`${url}/v2/models/${endpoint}/infer`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
    invoke: (endpoint: string, body: unknown, headers: Record<string, string> = {}) =>
      send(`${url}/endpoints/${endpoint}/invocations`, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await core.close();
      await serving.close();
      await engine.close();
    },
  };
}
export type ServingKit = Awaited<ReturnType<typeof servingKit>>;

/** Waits until something holds; fails after `ms`. */
export async function until(holds: () => boolean | Promise<boolean>, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`did not become true within ${ms} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
