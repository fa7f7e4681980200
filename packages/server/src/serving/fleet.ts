import { conflict, type EventBus, invalid, type Logger, notFound } from '../kernel/index.ts';
import { isEndpointName } from './endpoint-name.ts';
import { LiveEndpoint } from './live-endpoint.ts';
import { type MountedModel, Mounts } from './mounts.ts';
import type { EndpointRecord, EndpointStore, ModelSource } from './serving.port.ts';
import type { VersionPool } from './version-pool.ts';

export interface FleetDeps {
  store: EndpointStore;
  models: ModelSource;
  pool: VersionPool;
  events: EventBus;
  logger: Logger;
  maxQueue: number;
  now(): number;
}

/** The endpoints of this server: each brought to what the store wants, or the folder that it is mounted from, and kept there. */
export class Fleet {
  readonly #deps: FleetDeps;
  readonly #endpoints = new Map<string, LiveEndpoint>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly mounts = new Mounts();
  #timer: NodeJS.Timeout | undefined;
  /** By name: what the last sweeps have begun. */
  readonly #sweeping = new Map<string, Promise<void>>();
  #closed = false;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
  }

  get endpoints(): ReadonlyMap<string, LiveEndpoint> {
    return this.#endpoints;
  }

  /** Throws `not_found`. */
  known(name: string): LiveEndpoint {
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) throw notFound('endpoint_not_found', `There is no endpoint '${name}'.`, { details: { endpoint: name } });
    return endpoint;
  }

  /** Learns what is to be served, and loads nothing. */
  async prepare(): Promise<void> {
    for (const record of await this.#deps.store.listEndpoints()) this.#ofStore(record);
  }

  /** Follows the store from now on: by events, and every so often all of it. Resolves when every endpoint has been tried once. */
  follow(everyMs: number): Promise<void> {
    const { events, logger } = this.#deps;
    const bring = (name: string): void => {
      this.bring(name).catch((err: unknown) => logger.error({ err, endpoint: name }, 'an endpoint could not be brought up to date'));
    };
    this.#unsubscribe.push(
      events.on('endpoint.changed', ({ endpoint }) => bring(endpoint)),
      events.on('endpoint.deleted', ({ endpoint }) => bring(endpoint)),
      events.on('alias.moved', ({ model }) => {
        for (const { record } of this.#endpoints.values()) if (record.model === model) bring(record.name);
      }),
    );
    this.#timer = setInterval(
      () => void this.#bringAll().catch((err: unknown) => logger.error({ err }, 'the endpoints could not be reconciled')),
      everyMs,
    ).unref();
    return this.#bringAll();
  }

  /** One endpoint to its desired state; `insist`: also what failed before is tried. */
  async bring(name: string, insist = false): Promise<void> {
    // What is mounted follows its folder, whatever the store says.
    if (this.mounts.has(name)) return;
    const record = await this.#deps.store.getEndpoint(name);
    if (this.#closed || this.mounts.has(name)) return;
    if (record === null) return this.remove(name);
    await this.#reconcile(this.#ofStore(record), record, insist);
  }

  async remove(name: string): Promise<void> {
    const endpoint = this.#endpoints.get(name);
    this.#endpoints.delete(name);
    await endpoint?.remove();
  }

  /** Throws `conflict` when an endpoint of the registry has the name. `whole`: all of it is swapped in, or nothing. */
  async mount(model: MountedModel, whole: boolean): Promise<LiveEndpoint> {
    const { store, now } = this.#deps;
    const { name } = model;
    if (!isEndpointName(name)) throw invalid('invalid_endpoint_name', `'${name.slice(0, 140)}' cannot name an endpoint.`);
    if (!this.mounts.has(name) && (this.#endpoints.has(name) || (await store.getEndpoint(name)) !== null))
      throw conflict('endpoint_exists', `an endpoint of the registry is called '${name}' already: delete it, or rename the folder`, {
        details: { endpoint: name },
      });
    const record = this.mounts.put(model, now());
    const endpoint = this.#ofMount(record);
    await this.#reconcile(endpoint, record, true, whole);
    return endpoint;
  }

  async unmount(name: string): Promise<boolean> {
    if (!this.mounts.delete(name)) return false;
    await this.remove(name);
    return true;
  }

  stopFollowing(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const off of this.#unsubscribe.splice(0)) off();
  }

  /** Drains and frees every model; false when that takes longer, and goes on without us. */
  async drain(withinMs: number): Promise<boolean> {
    const drained = (async () => {
      // Removing ends a start that is under way.
      await Promise.all([...this.#endpoints.keys()].map((name) => this.remove(name)));
      await Promise.allSettled(this.#sweeping.values());
      return true;
    })();
    const limit = Promise.withResolvers<false>();
    const late = setTimeout(() => limit.resolve(false), withinMs);
    try {
      return await Promise.race([drained, limit.promise]);
    } finally {
      clearTimeout(late);
      drained.catch(() => {});
    }
  }

  #ofStore(record: EndpointRecord): LiveEndpoint {
    const { pool, models, store, maxQueue, now } = this.#deps;
    return this.#live(record.name, () => new LiveEndpoint(record, { pool, source: models, store, maxQueue, now }));
  }

  /** Nothing of it is stored. */
  #ofMount(record: EndpointRecord): LiveEndpoint {
    const { pool, maxQueue, now } = this.#deps;
    const nowhere = { setLastServed: async () => {} };
    return this.#live(record.name, () => new LiveEndpoint(record, { pool, source: this.mounts.source, store: nowhere, maxQueue, now, mounted: true }));
  }

  #live(name: string, make: () => LiveEndpoint): LiveEndpoint {
    let endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) {
      endpoint = make();
      this.#endpoints.set(name, endpoint);
    }
    return endpoint;
  }

  async #reconcile(endpoint: LiveEndpoint, record: EndpointRecord, insist: boolean, whole = false): Promise<void> {
    const before = `${endpoint.state} ${endpoint.message}`;
    await endpoint.reconcile(record, insist, whole);
    if (before !== `${endpoint.state} ${endpoint.message}` && endpoint.message !== '' && endpoint.state !== 'unloaded')
      this.#deps.logger.warn({ endpoint: record.name, state: endpoint.state }, endpoint.message);
  }

  /** Every endpoint against its desired state, but those that the last sweep is still busy with: a start may take minutes, and is no reason for others to wait. */
  async #bringAll(): Promise<void> {
    const records = await this.#deps.store.listEndpoints();
    const names = new Set([...records.map((record) => record.name), ...this.#endpoints.keys()]);
    await Promise.all([...names].filter((name) => !this.#sweeping.has(name)).map((name) => this.#sweepOne(name)));
  }

  #sweepOne(name: string): Promise<void> {
    const done = this.bring(name).finally(() => this.#sweeping.delete(name));
    this.#sweeping.set(name, done);
    return done;
  }
}
