import type { FilterCondition, OrderBy } from '../kernel/filter/index.ts';
import type { Page } from '../kernel/index.ts';
import type { GatePolicy, GateReport, Signature, TensorSpec } from './types.ts';

export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof STAGES)[number];

/** A registered model. Times are milliseconds since the epoch. */
export interface ModelRecord {
  name: string;
  description: string;
  createdAt: number;
  updatedAt: number;
  tags: Record<string, string>;
  aliases: Record<string, number>;
  /** The highest existing version, or null. */
  latestVersion: number | null;
  versionCount: number;
  gatePolicy: GatePolicy | null;
}

/** What looking at a version's files showed; all null or empty when they could not be read. */
export interface PackageFacts {
  /** Folder of the package in the artifact store; null when the files are elsewhere. */
  storagePath: string | null;
  flavors: string[];
  signature: Signature | null;
  tensors: { inputs: TensorSpec[]; outputs: TensorSpec[] } | null;
  /** The ONNX graph in the artifact store as its author made it. */
  graphPath: string | null;
  /** Of the graph's bytes, hex; a later change of the file is noticed by it. */
  graphSha256: string | null;
  /** Files beside the graph that hold its weights, relative to its folder. */
  externalFiles: string[];
  /** The rewired graph, when it had to be. */
  derivedPath: string | null;
  /** Settings of the MLmodel file (`metadata`), as text. */
  metadata: Record<string, string>;
  sizeBytes: number | null;
  servable: boolean;
  /** Why it is not servable, else ''. */
  statusMessage: string;
}

/** A version as it is registered; the store gives it its number. */
export interface NewVersion {
  model: string;
  source: string;
  /** Where the files can be downloaded; the source itself unless that is a `models:` or `runs:` URI that could be resolved. */
  storageUri: string;
  runId: string | null;
  runLink: string | null;
  loggedModelId: string | null;
  description: string;
  tags: Record<string, string>;
  facts: PackageFacts;
}

/** A version as it is kept. */
export interface VersionRecord extends Omit<NewVersion, 'facts'>, PackageFacts {
  /** Of this version and no other, ever: models are renamed, and a deleted model's name may come again. */
  id: string;
  version: number;
  stage: Stage;
  aliases: string[];
  createdAt: number;
  updatedAt: number;
}

/** Which models or versions, in what order, how many; `after` is the page token of the page before. */
export interface RegistrySearch {
  conditions: FilterCondition[];
  orderBy: OrderBy[];
  limit: number;
  pageToken?: string | undefined;
  /** Leaves out models (and their versions) tagged `mlflow.prompt.is_prompt=true`. */
  excludePrompts: boolean;
}

/**
 * Registered models, versions, aliases, gate policies and reports. Every method is one transaction. Methods that change something named throw `not_found`
 * (codes `registered_model_not_found`, `model_version_not_found`) when it does not exist, and `conflict` (`registered_model_exists`).
 */
export interface RegistryStore {
  createModel(model: { name: string; description: string; tags: Record<string, string> }): Promise<ModelRecord>;
  findModel(name: string): Promise<ModelRecord | undefined>;
  /** Sets the description, adds and replaces tags. */
  updateModel(name: string, change: { description?: string; tags?: Record<string, string> }): Promise<ModelRecord>;
  renameModel(name: string, newName: string): Promise<ModelRecord>;
  /** With versions, aliases, tags and reports. Returns what was deleted, for its derived files. */
  deleteModel(name: string): Promise<VersionRecord[]>;
  deleteModelTag(name: string, key: string): Promise<void>;
  searchModels(search: RegistrySearch): Promise<Page<ModelRecord>>;

  /** Numbers it one above every version that the model ever had; emits `model-version.created`. */
  createVersion(version: NewVersion): Promise<VersionRecord>;
  findVersion(name: string, version: number): Promise<VersionRecord | undefined>;
  updateVersion(name: string, version: number, change: { description?: string; tags?: Record<string, string>; facts?: PackageFacts }): Promise<VersionRecord>;
  deleteVersionTag(name: string, version: number, key: string): Promise<void>;
  /** Moves a version to a stage, optionally archiving what else is in it. */
  transitionStage(name: string, version: number, stage: Stage, archiveOthers: boolean): Promise<VersionRecord>;
  /** With its aliases, tags and reports; emits `model-version.deleted` and `alias.moved`. */
  deleteVersion(name: string, version: number): Promise<VersionRecord>;
  /** Those of these folders that some version still has its files in. */
  usedPaths(storagePaths: string[]): Promise<string[]>;
  searchVersions(search: RegistrySearch): Promise<Page<VersionRecord>>;
  /** The newest version of each of the stages (of every stage when none is named), for each model by name. */
  latestVersions(names: string[], stages: Stage[]): Promise<Record<string, VersionRecord[]>>;

  /**
   * Points an alias at a version, with the gate report that allowed it, and emits `alias.moved`. `expected` is the version that the gates compared with:
   * `conflict` (`alias_moved_meanwhile`) when the alias points elsewhere by now. Undefined: from wherever it is.
   */
  moveAlias(move: { model: string; alias: string; version: number; expected: number | null | undefined; report: GateReport | null }): Promise<void>;
  /** Nothing when there is no such alias. */
  deleteAlias(name: string, alias: string): Promise<void>;

  setGatePolicy(name: string, policy: GatePolicy | null): Promise<void>;
  addGateReport(report: GateReport): Promise<void>;
  /** Newest first. */
  gateReports(name: string, version: number, limit: number): Promise<GateReport[]>;
  /** The newest report of each version that has one. */
  lastGateReports(name: string, versions: number[]): Promise<Record<number, GateReport>>;
}
