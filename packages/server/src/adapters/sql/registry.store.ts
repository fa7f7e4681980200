import type {
  GatePolicy,
  GateReport,
  ModelImport,
  NewVersion,
  PackageFacts,
  RegistryImports,
  RegistrySearch,
  RegistryStore,
  Stage,
  VersionImport,
} from '../../registry/index.ts';
import type { StoreContext } from './engine.ts';
import * as imports from './imports/registry.ts';
import * as aliases from './registry/aliases.ts';
import * as models from './registry/models.ts';
import { searchModels, searchVersions } from './registry/search.ts';
import * as versions from './registry/versions.ts';

/** See `RegistryStore` and `RegistryImports` for what each method promises. */
export class SqlRegistryStore implements RegistryStore, RegistryImports {
  static readonly reads: ReadonlySet<string> = new Set([
    'findModel',
    'searchModels',
    'findVersion',
    'searchVersions',
    'latestVersions',
    'gateReports',
    'lastGateReports',
    'importedVersion',
  ]);
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  createModel = (model: { name: string; description: string; tags: Record<string, string> }) => models.createModel(this.#ctx, model);
  findModel = (name: string) => models.findModel(this.#ctx.db, name);
  updateModel = (name: string, change: { description?: string; tags?: Record<string, string> }) => models.updateModel(this.#ctx, name, change);
  renameModel = (name: string, newName: string) => models.renameModel(this.#ctx, name, newName);
  deleteModel = (name: string) => models.deleteModel(this.#ctx, name);
  deleteModelTag = (name: string, key: string) => models.deleteModelTag(this.#ctx.db, name, key);
  searchModels = (search: RegistrySearch) => searchModels(this.#ctx.db, search);

  createVersion = (version: NewVersion) => versions.createVersion(this.#ctx, version);
  findVersion = (name: string, version: number) => versions.findVersion(this.#ctx.db, name, version);
  updateVersion = (name: string, version: number, change: { description?: string; tags?: Record<string, string>; facts?: PackageFacts }) =>
    versions.updateVersion(this.#ctx, name, version, change);
  deleteVersionTag = (name: string, version: number, key: string) => versions.deleteVersionTag(this.#ctx.db, name, version, key);
  transitionStage = (name: string, version: number, stage: Stage, archiveOthers: boolean) =>
    versions.transitionStage(this.#ctx, name, version, stage, archiveOthers);
  deleteVersion = (name: string, version: number) => versions.deleteVersion(this.#ctx, name, version);
  usedPaths = (storagePaths: string[]) => versions.usedPaths(this.#ctx.db, storagePaths);
  searchVersions = (search: RegistrySearch) => searchVersions(this.#ctx.db, search);
  latestVersions = (names: string[], stages: Stage[]) => versions.latestVersions(this.#ctx.db, names, stages);

  moveAlias = (move: { model: string; alias: string; version: number; expected: number | null | undefined; report: GateReport | null }) =>
    aliases.moveAlias(this.#ctx, move);
  deleteAlias = (name: string, alias: string) => aliases.deleteAlias(this.#ctx, name, alias);
  setGatePolicy = (name: string, policy: GatePolicy | null) => aliases.setGatePolicy(this.#ctx, name, policy);
  addGateReport = (report: GateReport) => aliases.addGateReport(this.#ctx, report);
  gateReports = (name: string, version: number, limit: number) => aliases.gateReports(this.#ctx.db, name, version, limit);
  lastGateReports = (name: string, numbers: number[]) => aliases.lastGateReports(this.#ctx.db, name, numbers);

  importModel = (model: ModelImport) => imports.importModel(this.#ctx, model);
  importedVersion = (name: string, version: number) => imports.importedVersion(this.#ctx.db, name, version);
  importVersion = (version: VersionImport) => imports.importVersion(this.#ctx, version);
  importAliases = (name: string, moved: { alias: string; version: number }[]) => imports.importAliases(this.#ctx, name, moved);
}
