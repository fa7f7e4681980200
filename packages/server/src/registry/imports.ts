import { BinnacleError, invalid, type Logger, messageOf } from '../kernel/index.ts';
import type { ArtifactService } from '../artifacts/index.ts';
import type { GraphInspector } from './graph-inspector.port.ts';
import type { ImportedPackage, ModelImport, RegistryImports, VersionImport } from './imports.port.ts';
import { inspectPackage, noFacts } from './package.ts';
import type { PythonMode } from './python-package.ts';
import type { RegistryStore } from './registry-store.port.ts';
import type { RemoteInspector } from './remote-inspector.port.ts';
import type { RunDirectory } from './run-directory.port.ts';
import { type ResolvedSource, resolveSource } from './source.ts';
import { checkAliasName, checkDescription, checkModelName } from './validation.ts';

export type VersionToImport = Omit<VersionImport, 'facts' | 'storageUri'>;
export type RegistryImportService = ReturnType<typeof createRegistryImports>;

/** Bringing models and versions in from elsewhere, under the numbers and with the times that they had there. */
export function createRegistryImports(deps: {
  store: RegistryStore & RegistryImports;
  artifacts: ArtifactService;
  inspector: GraphInspector;
  remotes?: RemoteInspector;
  runs: RunDirectory;
  logger: Logger;
  python?: PythonMode | undefined;
}) {
  const { store } = deps;

  /** Where a version's files are; one whose source leads nowhere is here all the same, and cannot be loaded. */
  async function locate(version: VersionToImport): Promise<ResolvedSource & { problem: string | null }> {
    try {
      return { ...(await resolveSource(deps, version.source, { runId: version.runId, loggedModelId: version.loggedModelId })), problem: null };
    } catch (error) {
      if (!(error instanceof BinnacleError) || error.kind === 'unavailable') throw error;
      const { source, runId, loggedModelId } = version;
      const why = `Its source ${source} was not found here: ${messageOf(error)}`;
      return { source, storageUri: source, storagePath: null, why, runId, loggedModelId, problem: why };
    }
  }

  return {
    async importModel(model: ModelImport): Promise<ImportedPackage> {
      checkModelName(model.name);
      checkTagTexts(model.tags);
      checkDescription(model.description);
      return store.importModel(model);
    },
    async importVersion(version: VersionToImport): Promise<ImportedPackage & { problem: string | null }> {
      checkModelName(version.model);
      checkTagTexts(version.tags);
      checkDescription(version.description);
      const before = await store.importedVersion(version.model, version.version);
      const blank = { storageUri: version.source, facts: noFacts('') };
      // Looking at the files of one that has them would change nothing; those of another may have come since.
      if (before?.withoutFiles === false) return { ...(await store.importVersion({ ...version, ...blank })), problem: null };
      const { problem, why, storagePath, ...where } = await locate(version);
      const facts = storagePath === null ? noFacts(why) : await inspectPackage(deps, storagePath);
      try {
        return { ...(await store.importVersion({ ...version, ...where, facts })), problem };
      } catch (error) {
        if (facts.derivedPath !== null) await deps.artifacts.deleteDerived(facts.derivedPath).catch(() => {});
        throw error;
      }
    },
    async importAliases(model: string, aliases: { alias: string; version: number }[]) {
      checkModelName(model);
      for (const { alias } of aliases) checkAliasName(alias);
      return store.importAliases(model, aliases);
    },
  };
}

/** Keys are taken as they are where another registry has let them in. */
function checkTagTexts(tags: Record<string, string>): void {
  for (const key of Object.keys(tags))
    if (!key.isWellFormed()) throw invalid('invalid_key', `A tag's key is not valid Unicode: ${JSON.stringify(key.toWellFormed())}.`);
}
