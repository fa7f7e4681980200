/** Registered models, versions and aliases; what a version's package holds. */
export type { AliasGuard } from './alias-guard.port.ts';
export type { EndpointDirectory } from './endpoint-directory.port.ts';
export type { GraphInspector } from './graph-inspector.port.ts';
export type { ImportedPackage, ModelImport, RegistryImports, VersionImport } from './imports.port.ts';
export { createRegistryImports, type RegistryImportService } from './imports.ts';
export {
  type ModelRecord,
  type NewVersion,
  type PackageFacts,
  type RegistrySearch,
  type RegistryStore,
  type Stage,
  type VersionRecord,
} from './registry-store.port.ts';
export type { LoggedModelSummary, RunDirectory, RunSummary } from './run-directory.port.ts';
export type { RemoteInspector } from './remote-inspector.port.ts';
export { tensorsOfSignature } from './python-package.ts';
export type { PythonMode } from './python-package.ts';
export type * from './types.ts';
export { type GoldenExamples, MAX_GOLDEN_BYTES, parseGoldenExamples } from './golden.ts';
export { createRegistryService, type NewVersionRequest, type RegistryDeps, type RegistryService, type SearchRequest } from './registry.service.ts';
export { createRegistryViews, type RegistryViews } from './views.ts';
export { settingOfLabels, settingsOfLabels } from './graph-labels.ts';
export { isUploadFolder } from './upload.ts';
