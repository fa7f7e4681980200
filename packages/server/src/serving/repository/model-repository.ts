import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Endpoint } from '@binnacle/contract';
import { BinnacleError, invalid, type Logger, messageOf, unavailable } from '../../kernel/index.ts';
import { isEndpointName } from '../endpoint-name.ts';
import type { RepositoryControl } from '../repository-control.port.ts';
import type { ServingService } from '../serving.service.ts';
import { stepsOf } from './ensemble-config.ts';
import { indexEntries } from './index-entries.ts';
import { dependenciesFirst, type KnownModel, type Located, newlyKnown } from './known-models.ts';
import { findModel, modelNames } from './layout.ts';
import { parseModelConfig, parseModelConfigJson } from './model-config.ts';
import { type GraphReader, prepareModel, writeOverride } from './prepare.ts';

export interface ModelRepositoryDeps {
  serving: Pick<ServingService, 'mount' | 'unmount' | 'list'>;
  inspector: GraphReader;
  /** Folders of models; a model's name may be in one of them only. */
  repositories: readonly string[];
  mode: 'none' | 'poll' | 'explicit';
  pollSeconds: number;
  /** In the mode explicit: what is loaded at the start; `*` for all. */
  loadModels: readonly string[];
  /** For graphs that had to be changed and files that a load brought; emptied at the start. */
  workDir: string;
  logger: Logger;
}

/** Model repository folders, served as Triton serves them. */
export interface ModelRepositories extends RepositoryControl {
  /** Throws `invalid` for a repository that cannot be read. Before the port opens. */
  prepare(): Promise<void>;
  /** Loads what the mode says, and keeps following the folders in the mode poll. Never throws for a model. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A folder that is being copied to is looked at again after this long, milliseconds: it is acted on when it stays the same. */
const SETTLE_MS = 250;

/** Models that are loaded at the same time: each takes a thread, and memory of its own. */
const LOADS_AT_ONCE = 4;

export function createModelRepositories(deps: ModelRepositoryDeps): ModelRepositories {
  const { serving, repositories, mode, logger } = deps;
  const models = new Map<string, KnownModel>();
  let tail: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  /** One change at a time: what is loaded, and what depends on it, must not move meanwhile. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work);
    tail = result.catch(() => {});
    return result;
  }

  function known(name: string): KnownModel {
    let model = models.get(name);
    if (model === undefined) models.set(name, (model = newlyKnown(name)));
    return model;
  }

  const endpointOf = (name: string): Endpoint | undefined => serving.list().find((endpoint) => endpoint.name === name && endpoint.source === 'repository');

  /** All names, each with the repositories that have it. */
  async function scan(): Promise<Map<string, string[]>> {
    const out = new Map<string, string[]>();
    for (const repository of repositories) for (const name of await modelNames(repository)) out.set(name, [...(out.get(name) ?? []), repository]);
    return out;
  }

  async function locate(name: string): Promise<Located | null> {
    const root = models.get(name)?.override?.root;
    const places: Located[] = [];
    for (const repository of root === undefined ? repositories : [root]) {
      // A name is a folder's, never a path.
      if (name === '' || name.startsWith('.') || /[/\\\0]/.test(name)) return null;
      const found = await findModel(repository, name);
      if (found !== null) places.push({ repository, found });
    }
    if (places.length > 1)
      throw invalid(
        'model_not_unique',
        `the model '${name}' is in more than one repository (${places.map(({ repository }) => repository).join(', ')}): rename one of them`,
      );
    return places[0] ?? null;
  }

  /** What cannot be looked at is there. */
  const isSomewhere = (name: string): Promise<boolean> =>
    locate(name).then(
      (located) => located !== null,
      () => true,
    );

  /** Brings a wanted model to what its folder holds. False when nothing of it serves afterwards. */
  async function bring(name: string, located: Located): Promise<boolean> {
    const model = known(name);
    const { found } = located;
    model.fingerprint = found.fingerprint;
    model.versions = found.versions.map(({ version }) => version);
    try {
      const prepared = await prepareModel(deps, found, model.override?.config);
      model.dependsOn = prepared.dependsOn;
      model.versions = prepared.packages.map(({ version }) => version);
      if (prepared.ignored.length > 0) logger.warn({ model: name, fields: [...new Set(prepared.ignored)] }, 'fields of a config.pbtxt mean nothing here');
      const endpoint = await serving.mount(prepared, { whole: mode === 'explicit' });
      model.problem = '';
      model.unloaded = false;
      return endpoint.state === 'ready' || endpoint.state === 'degraded';
    } catch (error) {
      if (!(error instanceof BinnacleError)) logger.error({ err: error, model: name }, 'a model of a repository could not be looked at');
      model.problem = messageOf(error);
      logger.warn({ model: name }, `a model of a repository is not served: ${model.problem}`);
      return endpointOf(name) !== undefined;
    }
  }

  /** Ensembles that serve, which use one of these models. */
  const usersOf = (names: ReadonlySet<string>): string[] =>
    [...models.values()]
      .filter(({ wanted, dependsOn, name }) => wanted && !names.has(name) && dependsOn.some((other) => names.has(other)))
      .map(({ name }) => name);

  /** Models after those that they depend on, then the ensembles that use them. */
  async function bringAll(located: ReadonlyMap<string, Located>): Promise<void> {
    const dependsOn = new Map([...located].map(([name, { found }]) => [name, stepsOf(found.config)]));
    const ordered = dependenciesFirst([...located.keys()], (each) => dependsOn.get(each) ?? []);
    const alone = ordered.filter((name) => (dependsOn.get(name) ?? []).length === 0);
    await Promise.all(
      Array.from({ length: LOADS_AT_ONCE }, async () => {
        for (let name = alone.shift(); name !== undefined; name = alone.shift()) await bring(name, located.get(name) as Located);
      }),
    );
    for (const name of ordered) if ((dependsOn.get(name) ?? []).length > 0) await bring(name, located.get(name) as Located);
    const changed = new Set(located.keys());
    for (let users = usersOf(changed); users.length > 0; users = usersOf(changed)) {
      for (const name of users) {
        changed.add(name);
        const again = await locate(name);
        if (again !== null) await bring(name, again);
      }
    }
  }

  async function locateAll(names: Iterable<string>): Promise<Map<string, Located>> {
    const out = new Map<string, Located>();
    for (const name of names) {
      try {
        const located = await locate(name);
        if (located !== null) out.set(name, located);
      } catch (error) {
        known(name).problem = messageOf(error);
        logger.warn({ model: name }, `a model of a repository is not served: ${messageOf(error)}`);
      }
    }
    return out;
  }

  /** With an ensemble come the models that it is made of. */
  async function withDependencies(name: string): Promise<string[]> {
    const out = new Set<string>();
    const add = async (each: string, located: Located | null): Promise<void> => {
      if (located === null || out.has(each)) return;
      out.add(each);
      const config = models.get(each)?.override?.config;
      for (const other of config === undefined
        ? stepsOf(located.found.config)
        : (config.ensemble_scheduling?.step ?? []).map((step) => step.model_name ?? '')) {
        if (out.has(other) || models.get(other)?.wanted === true) continue;
        await add(other, await locate(other));
      }
    };
    await add(name, await locate(name));
    return [...out];
  }

  async function unload(name: string, dependents: boolean): Promise<void> {
    const model = models.get(name);
    if (model === undefined || !model.wanted) return;
    const { dependsOn, override } = model;
    Object.assign(model, { wanted: false, fingerprint: '', problem: '', unloaded: true, dependsOn: [], override: undefined });
    await serving.unmount(name);
    if (override?.root !== undefined) await rm(override.root, { recursive: true, force: true });
    if (!dependents) return;
    const inUse = (other: string): boolean => [...models.values()].some(({ wanted, dependsOn: of }) => wanted && of.includes(other));
    for (const other of dependsOn) if (!inUse(other)) await unload(other, true);
  }

  async function poll(): Promise<void> {
    const names = await scan();
    for (const { name, wanted } of models.values()) if (wanted && !names.has(name)) await unload(name, false);
    const changed = [...(await locateAll(names.keys()))].filter(([name, { found }]) => known(name).fingerprint !== found.fingerprint);
    if (changed.length === 0) return;
    // What is still being copied is left to the next look.
    await wait(Math.min(SETTLE_MS, deps.pollSeconds * 500));
    const before = new Map(changed);
    const settled = await locateAll(before.keys());
    for (const [name, { found }] of settled) if (found.fingerprint !== before.get(name)?.found.fingerprint) settled.delete(name);
    for (const name of settled.keys()) known(name).wanted = true;
    if (!closed) await bringAll(settled);
  }

  const explicitly = (): void => {
    if (mode !== 'explicit')
      throw unavailable(
        'model_control_mode',
        `explicit model load / unload is not allowed in the model control mode '${mode}'; start with --model-control-mode explicit`,
      );
  };

  return {
    repositories,

    async prepare() {
      await scan();
    },

    start: () =>
      alone(async () => {
        await rm(deps.workDir, { recursive: true, force: true });
        await mkdir(deps.workDir, { recursive: true });
        const names = [...(await scan()).keys()];
        for (const name of names) known(name);
        const missing = deps.loadModels.filter((name) => name !== '*' && !names.includes(name));
        if (mode === 'explicit' && missing.length > 0) logger.warn({ models: missing }, 'models to be loaded are in no repository');
        const wanted = new Set<string>();
        for (const name of names)
          if (mode !== 'explicit' || deps.loadModels.includes('*') || deps.loadModels.includes(name))
            for (const each of mode === 'explicit' ? await withDependencies(name) : [name]) wanted.add(each);
        for (const name of wanted) known(name).wanted = true;
        await bringAll(await locateAll(wanted));
      }).finally(() => {
        if (mode !== 'poll' || closed) return;
        timer = setInterval(() => {
          alone(poll).catch((err: unknown) => logger.error({ err }, 'the model repositories could not be looked at'));
        }, deps.pollSeconds * 1000).unref();
      }),

    async index(repository) {
      const names = new Map([...(await scan())].filter(([, places]) => repository === undefined || places.includes(repository)));
      const endpoints = new Map(serving.list().map((endpoint) => [endpoint.name, endpoint]));
      const gone = repository === undefined ? [...models.values()].filter(({ name, wanted }) => wanted && !names.has(name)).map(({ name }) => name) : [];
      return [...names.keys(), ...gone].sort().flatMap((name) => indexEntries(known(name), endpoints.get(name), mode === 'explicit'));
    },

    has: async (name) => models.get(name)?.wanted === true || (await locate(name).catch(() => null)) !== null,

    load: (name, { config, files }) =>
      alone(async () => {
        explicitly();
        // Before anything else: the name becomes a folder's, and comes from whoever reaches the port.
        if (!isEndpointName(name)) throw badName(name);
        const fresh = (files?.size ?? 0) > 0;
        if (fresh && config === undefined)
          throw invalid('invalid_model_config', `failed to load '${name}': override files need the model's configuration: give 'config' too`);
        const isNew = !models.has(name);
        const model = known(name);
        const before = { ...model };
        let root: string | undefined;
        try {
          if (fresh) root = await writeOverride(deps.workDir, name, files as ReadonlyMap<string, Uint8Array>);
          model.override = config === undefined ? undefined : { config: readOverride(config), root };
          const names = await withDependencies(name);
          if (names.length === 0) throw notPolled(name);
          for (const each of names) known(each).wanted = true;
          const located = await locateAll(names);
          await bringAll(located);
          const problem = model.problem || problemOf(endpointOf(name));
          if (problem !== '') throw invalid('load_failed', problem);
        } catch (error) {
          // What served goes on, with what it was loaded with.
          const serves = endpointOf(name)?.state;
          if (serves === 'ready' || serves === 'degraded') {
            const { override, dependsOn, versions } = before;
            Object.assign(model, { override, dependsOn, versions, wanted: true, problem: messageOf(error) });
          } else if (root !== undefined) Object.assign(model, { override: undefined });
          if (root !== undefined && model.override?.root !== root) await rm(root, { recursive: true, force: true });
          // A name that no folder has is not kept: any number of them can be asked for.
          if (isNew && serves !== 'ready' && serves !== 'degraded' && !(await isSomewhere(name))) {
            models.delete(name);
            await serving.unmount(name);
          }
          throw failedToLoad(name, error);
        }
        if (before.override?.root !== undefined && before.override.root !== root) await rm(before.override.root, { recursive: true, force: true });
      }),

    unload: (name, { dependents }) =>
      alone(async () => {
        explicitly();
        await unload(name, dependents);
      }),

    async close() {
      closed = true;
      clearInterval(timer);
      await tail;
    },
  };
}

const notPolled = (name: string): BinnacleError => invalid('model_not_found', `failed to load '${name}', failed to poll from model repository`);

const badName = (name: string): BinnacleError =>
  invalid(
    'invalid_endpoint_name',
    `failed to load '${name.slice(0, 140)}', failed to poll from model repository: a model's name has letters, digits, '.', '_' and '-', 128 at most, and begins with a letter or digit`,
  );

/** Triton's beginning, which clients look for. */
function failedToLoad(name: string, error: unknown): unknown {
  if (!(error instanceof BinnacleError) || error.message.startsWith('failed to load ')) return error;
  return new BinnacleError(error.kind, error.code, `failed to load '${name}': ${error.message}`, { details: error.details, cause: error });
}

const problemOf = (endpoint: Endpoint | undefined): string => (endpoint === undefined || endpoint.state === 'ready' ? '' : endpoint.message);

/** A load's configuration: JSON, as Triton has it. */
const readOverride = (text: string) => (/^\s*[{[]/.test(text) ? parseModelConfigJson(text) : parseModelConfig(text, 'config'));
