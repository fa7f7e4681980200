import type { ArtifactService } from '../artifacts/index.ts';
import { parseFilter, parseOrderBy } from '../kernel/filter/index.ts';
import { BinnacleError, conflict, invalid, type Logger, notFound, type Page } from '../kernel/index.ts';
import type { AliasGuard } from './alias-guard.port.ts';
import { createAliasMover } from './alias-moves.ts';
import type { EndpointDirectory } from './endpoint-directory.port.ts';
import { modelVersionGrammar, registeredModelGrammar } from './filter-grammars.ts';
import type { GraphInspector } from './graph-inspector.port.ts';
import { createLookups } from './lookups.ts';
import { inspectPackage, noFacts } from './package.ts';
import type { PythonMode } from './python-package.ts';
import type { ModelRecord, RegistryStore, VersionRecord } from './registry-store.port.ts';
import type { RunDirectory } from './run-directory.port.ts';
import { createResolver } from './resolve.ts';
import type { RemoteInspector } from './remote-inspector.port.ts';
import { type RemoteRequest, writeRemotePackage } from './remote-upload.ts';
import { resolveSource } from './source.ts';
import type { GatePolicy, GateReport } from './types.ts';
import { isUploadFolder, uploadPackage } from './upload.ts';
import { canonicalStage, checkAliasName, checkDescription, checkModelName, checkNewAlias, checkTagKey, checkTags } from './validation.ts';

const PROMPT_TAG = 'mlflow.prompt.is_prompt';

export interface RegistryDeps {
  store: RegistryStore;
  artifacts: ArtifactService;
  inspector: GraphInspector;
  /** Asks servers elsewhere about models that run there; absent: none is asked. */
  remotes?: RemoteInspector;
  runs: RunDirectory;
  /** Asked before an alias moves; wired after construction, since gates need the registry. */
  guard: AliasGuard;
  endpoints: EndpointDirectory;
  logger: Logger;
  /** Whether models that need Python can be served; 'off' by default. */
  python?: PythonMode | undefined;
}

export interface SearchRequest {
  filter?: string;
  orderBy?: string[];
  limit: number;
  pageToken?: string | undefined;
}

export interface NewVersionRequest {
  model: string;
  source: string;
  runId?: string | null;
  loggedModelId?: string | null;
  runLink?: string | null;
  description?: string;
  tags?: Record<string, string>;
}

/** Registered models, their versions and aliases. Errors are MLflow's words, since its users match on them. */
export type RegistryService = ReturnType<typeof createRegistryService>;

export function createRegistryService(deps: RegistryDeps) {
  const { store, artifacts, runs } = deps;

  const lookups = createLookups(store);
  const { getModel, getVersion, lookup } = lookups;

  async function refuseWhileServed(name: string, version: number | undefined, what: string): Promise<void> {
    const serving = (await deps.endpoints.endpointsOf(name))
      .filter(({ versions }) => version === undefined || versions.includes(version))
      .map(({ endpoint }) => endpoint);
    if (serving.length > 0)
      throw conflict(
        'model_is_served',
        `${what} is served by ${serving.length === 1 ? 'the endpoint' : 'the endpoints'} ${serving.join(', ')}. Point ${serving.length === 1 ? 'it' : 'them'} elsewhere or delete ${serving.length === 1 ? 'it' : 'them'} first.`,
        { details: { endpoints: serving } },
      );
  }

  /** Removes what the server made for versions that are gone: rewired graphs, and pushed packages that no other version uses. A run's files stay with the run. */
  async function dropFiles(versions: VersionRecord[]): Promise<void> {
    // A leftover costs disk space, not correctness: the versions are gone already.
    const leftover = (path: string) => (err: unknown) => deps.logger.warn({ err, path }, "a deleted version's files could not be deleted");
    for (const { derivedPath } of versions) if (derivedPath !== null) await artifacts.deleteDerived(derivedPath).catch(leftover(derivedPath));
    const pushed = [...new Set(versions.flatMap(({ storagePath }) => (storagePath !== null && isUploadFolder(storagePath) ? [storagePath] : [])))];
    const used = new Set(pushed.length === 0 ? [] : await store.usedPaths(pushed));
    for (const path of pushed) if (!used.has(path)) await artifacts.delete(path).catch(leftover(path));
  }

  async function createVersion(request: NewVersionRequest): Promise<VersionRecord> {
    checkTags(request.tags ?? {});
    checkDescription(request.description ?? '');
    await getModel(request.model);
    const named = { runId: request.runId || null, loggedModelId: request.loggedModelId || null };
    // A prompt's text is in its tags; its source is a placeholder.
    const isPrompt = request.tags?.[PROMPT_TAG]?.toLowerCase() === 'true';
    const source = isPrompt
      ? { source: request.source, storageUri: request.source, storagePath: null, why: 'A prompt has no files.', ...named }
      : await resolveSource({ artifacts, runs, store }, request.source, named);
    const facts = source.storagePath === null ? noFacts(source.why) : await inspectPackage(deps, source.storagePath);
    const { why: _, storagePath: __, ...where } = source;
    let created: VersionRecord;
    try {
      created = await store.createVersion({
        model: request.model,
        ...where,
        runLink: request.runLink ?? null,
        description: request.description ?? '',
        tags: request.tags ?? {},
        facts,
      });
    } catch (error) {
      if (facts.derivedPath !== null) await artifacts.deleteDerived(facts.derivedPath).catch(() => {});
      throw error;
    }
    if (created.loggedModelId !== null)
      await runs
        .noteVersion(created.loggedModelId, created.model, created.version)
        .catch((err: unknown) => deps.logger.warn({ err, model: created.model }, 'a version could not be noted at its logged model'));
    return created;
  }

  async function createModel(model: { name: string; description?: string; tags?: Record<string, string> }): Promise<ModelRecord> {
    checkModelName(model.name);
    checkTags(model.tags ?? {});
    checkDescription(model.description ?? '');
    return store.createModel({ name: model.name, description: model.description ?? '', tags: model.tags ?? {} });
  }

  const { resolve, findCompanion } = createResolver(deps, lookups);

  /** A package that is written here and registered; nothing is left of one that cannot be. */
  async function registerPackage(request: NewPackage, write: () => Promise<string>): Promise<VersionRecord> {
    checkModelName(request.model);
    checkDescription(request.description ?? '');
    if (request.runId !== undefined && (await runs.run(request.runId)) === undefined)
      throw notFound('run_not_found', `No run ${request.runId}. Leave runId out, or name an existing run.`);
    const folder = await write();
    try {
      await createModel({ name: request.model }).catch((error: unknown) => {
        if (!(error instanceof BinnacleError && error.code === 'registered_model_exists')) throw error;
      });
      return await createVersion({
        model: request.model,
        source: `mlflow-artifacts:/${folder}`,
        runId: request.runId ?? null,
        description: request.description ?? '',
      });
    } catch (error) {
      await artifacts.delete(folder).catch(() => {});
      throw error;
    }
  }

  return {
    createModel,
    getModel,
    findModel: (name: string) => store.findModel(name),
    async updateModel(name: string, change: { description?: string; tags?: Record<string, string> }): Promise<ModelRecord> {
      checkModelName(name);
      checkTags(change.tags ?? {});
      checkDescription(change.description ?? '');
      return store.updateModel(name, change);
    },
    async renameModel(name: string, newName: string): Promise<ModelRecord> {
      checkModelName(newName, 'new_name');
      await getModel(name);
      await refuseWhileServed(name, undefined, `Registered Model ${name}`);
      return store.renameModel(name, newName);
    },
    async deleteModel(name: string): Promise<void> {
      await getModel(name);
      await refuseWhileServed(name, undefined, `Registered Model ${name}`);
      await dropFiles(await store.deleteModel(name));
    },
    async deleteModelTag(name: string, key: string): Promise<void> {
      checkModelName(name);
      checkTagKey(key);
      await store.deleteModelTag(name, key);
    },
    searchModels: async (request: SearchRequest): Promise<Page<ModelRecord>> =>
      store.searchModels({
        ...promptRule(parseFilter(request.filter ?? '', registeredModelGrammar)),
        orderBy: parseOrderBy(request.orderBy ?? [], registeredModelGrammar),
        limit: request.limit,
        pageToken: request.pageToken || undefined,
      }),

    createVersion,
    getVersion,
    lookup,
    searchVersions: async (request: SearchRequest): Promise<Page<VersionRecord>> =>
      store.searchVersions({
        ...promptRule(parseFilter(request.filter ?? '', modelVersionGrammar)),
        orderBy: parseOrderBy(request.orderBy ?? [], modelVersionGrammar),
        limit: request.limit,
        pageToken: request.pageToken || undefined,
      }),
    /** A model's versions, newest first. */
    async versionsOf(name: string, limit = 1000): Promise<VersionRecord[]> {
      const orderBy = [{ kind: 'attribute' as const, key: 'version_number', ascending: false }];
      return (
        await store.searchVersions({ conditions: [{ kind: 'attribute', key: 'name', operator: '=', value: name }], orderBy, limit, excludePrompts: false })
      ).items;
    },
    /** The versions, of any model, that were made of a run, newest numbers first. */
    async versionsOfRun(runId: string, limit: number): Promise<VersionRecord[]> {
      const orderBy = [{ kind: 'attribute' as const, key: 'version_number', ascending: false }];
      const conditions = [{ kind: 'attribute' as const, key: 'run_id', operator: '=' as const, value: runId }];
      return (await store.searchVersions({ conditions, orderBy, limit, excludePrompts: true })).items;
    },
    /** Models by name; `q` is a part of it in any case. */
    listModels: async (q: string, limit: number, pageToken?: string): Promise<Page<ModelRecord>> =>
      store.searchModels({
        conditions: q === '' ? [] : [{ kind: 'attribute', key: 'name', operator: 'ILIKE', value: `%${q}%` }],
        orderBy: [],
        limit,
        pageToken: pageToken || undefined,
        excludePrompts: true,
      }),
    /** The newest version of each stage named (of every stage when none is), for each model. */
    latestVersions: async (names: string[], stages: string[] = []): Promise<Record<string, VersionRecord[]>> =>
      store.latestVersions(names, stages.map(canonicalStage)),
    async updateVersion(name: string, version: number, change: { description?: string; tags?: Record<string, string> }): Promise<VersionRecord> {
      checkModelName(name);
      checkTags(change.tags ?? {});
      checkDescription(change.description ?? '');
      return store.updateVersion(name, version, change);
    },
    async deleteVersionTag(name: string, version: number, key: string): Promise<void> {
      checkModelName(name);
      checkTagKey(key);
      await store.deleteVersionTag(name, version, key);
    },
    async transitionStage(name: string, version: number, stage: string, archiveOthers: boolean): Promise<VersionRecord> {
      checkModelName(name);
      const canonical = canonicalStage(stage);
      if (archiveOthers && canonical !== 'Staging' && canonical !== 'Production')
        throw invalid(
          'invalid_parameter',
          `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`,
        );
      return store.transitionStage(name, version, canonical, archiveOthers);
    },
    async deleteVersion(name: string, version: number): Promise<void> {
      await getVersion(name, version);
      await refuseWhileServed(name, version, `${name} version ${version}`);
      await dropFiles([await store.deleteVersion(name, version)]);
    },

    setAlias: createAliasMover({ store, guard: deps.guard, lookups }),
    async deleteAlias(name: string, alias: string): Promise<void> {
      checkModelName(name);
      checkAliasName(alias);
      await store.deleteAlias(name, alias);
    },
    async setGatePolicy(name: string, policy: GatePolicy | null): Promise<void> {
      for (const alias of policy?.aliases ?? []) checkNewAlias(alias);
      await getModel(name);
      await store.setGatePolicy(name, policy);
    },
    addGateReport: (report: GateReport) => store.addGateReport(report),
    gateReports: (name: string, version: number, limit = 100) => store.gateReports(name, version, limit),
    lastGateReports: (name: string, versions: number[]) => store.lastGateReports(name, versions),

    resolve,
    findCompanion,

    /** Stores an uploaded ONNX file as a package of its own and registers it; the model is made when it does not exist. Nothing is left of an upload that breaks off or cannot be served. */
    uploadVersion: (request: NewPackage & { filename: string; body: AsyncIterable<Uint8Array> }): Promise<VersionRecord> =>
      registerPackage(request, () => uploadPackage(deps, request)),
    /** The same for a model that runs elsewhere. */
    registerRemote: (request: NewPackage & RemoteRequest): Promise<VersionRecord> => registerPackage(request, () => writeRemotePackage(deps, request)),
  };
}

interface NewPackage {
  model: string;
  description?: string | undefined;
  runId?: string | undefined;
}

/** Prompts are left out unless the filter asks for them; what it says of the tag otherwise only repeats that. */
function promptRule(conditions: ReturnType<typeof parseFilter>): { conditions: ReturnType<typeof parseFilter>; excludePrompts: boolean } {
  const said = conditions.find(({ kind, key }) => kind === 'tag' && key === PROMPT_TAG);
  const value = String(said?.value).toLowerCase();
  if (said !== undefined && ((said.operator === '=' && value === 'true') || (said.operator === '!=' && value === 'false')))
    return { conditions, excludePrompts: false };
  return { conditions: conditions.filter((condition) => !(condition.kind === 'tag' && condition.key === PROMPT_TAG)), excludePrompts: true };
}
