import { notFound } from '../kernel/index.ts';
import type { ModelRecord, RegistryStore, VersionRecord } from './registry-store.port.ts';
import type { VersionRef } from './types.ts';
import { checkModelName } from './validation.ts';

export type Lookups = ReturnType<typeof createLookups>;

/** Finding models and versions, with an error that names what is not there. */
export function createLookups(store: RegistryStore) {
  async function getModel(name: string): Promise<ModelRecord> {
    checkModelName(name);
    const model = await store.findModel(name);
    if (model === undefined) throw notFound('registered_model_not_found', `Registered Model with name=${name} not found`, { details: { model: name } });
    return model;
  }

  async function getVersion(name: string, version: number): Promise<VersionRecord> {
    checkModelName(name);
    const found = await store.findVersion(name, version);
    if (found === undefined)
      throw notFound('model_version_not_found', `Model Version (name=${name}, version=${version}) not found`, { details: { model: name, version } });
    return found;
  }

  /** The version that a reference means now. */
  async function lookup(name: string, ref: VersionRef): Promise<VersionRecord> {
    if (ref !== 'latest' && 'version' in ref) return getVersion(name, ref.version);
    const model = await getModel(name);
    if (ref === 'latest' || ref.alias.toLowerCase() === 'latest') {
      if (model.latestVersion === null) throw notFound('model_version_not_found', `Latest version not found for model ${name}.`);
      return getVersion(name, model.latestVersion);
    }
    const version = Object.hasOwn(model.aliases, ref.alias) ? model.aliases[ref.alias] : undefined;
    if (version === undefined)
      throw notFound('alias_not_found', `Registered model alias ${ref.alias} not found.`, { details: { model: name, alias: ref.alias } });
    return getVersion(name, version);
  }

  return { getModel, getVersion, lookup };
}
