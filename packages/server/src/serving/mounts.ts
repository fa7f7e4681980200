import type { EndpointConfig } from '@binnacle/contract';
import { type BinnacleError, conflict, notFound } from '../kernel/index.ts';
import type { ModelPackage, VersionRef } from '../registry/index.ts';
import type { EndpointRecord, ModelSource } from './serving.port.ts';

/** A model that does not come from the registry, as it is to be served: the newest version answers who pins none. */
export interface MountedModel {
  name: string;
  /** One or more, ascending by version. A version that cannot be loaded says why in `problem`. */
  packages: ModelPackage[];
  config: EndpointConfig;
}

/** What is mounted, as records and packages that an endpoint is made of. Nothing of it is stored. */
export class Mounts {
  readonly #models = new Map<string, { model: MountedModel; record: EndpointRecord }>();

  has(name: string): boolean {
    return this.#models.has(name);
  }

  record(name: string): EndpointRecord | undefined {
    return this.#models.get(name)?.record;
  }

  /** Each time a new revision, so that what failed before is tried again. */
  put(model: MountedModel, now: number): EndpointRecord {
    const { name, packages, config } = model;
    const before = this.#models.get(name)?.record;
    const newest = packages.at(-1)?.version;
    const record: EndpointRecord = {
      name,
      model: name,
      description: '',
      traffic: packages.map(({ version }) => ({ version, weight: version === newest ? 100 : 0, shadow: false })),
      config,
      suspended: false,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      revision: (before?.revision ?? 0) + 1,
      lastServed: [],
    };
    this.#models.set(name, { model, record });
    return record;
  }

  delete(name: string): boolean {
    return this.#models.delete(name);
  }

  readonly source: ModelSource = {
    resolve: async (name: string, ref: VersionRef) => {
      const packages = this.#models.get(name)?.model.packages ?? [];
      const found = ref === 'latest' ? packages.at(-1) : packages.find(({ version }) => typeof ref === 'object' && 'version' in ref && version === ref.version);
      if (found === undefined) throw notFound('version_not_found', `The model repository has no such version of '${name}'.`);
      return found;
    },
    aliases: async () => ({}),
  };

  /** Throws `conflict` for what the folder decides. */
  refuseChange(name: string, what: string): void {
    if (this.#models.has(name)) throw fromRepository(name, what);
  }
}

const fromRepository = (name: string, what: string): BinnacleError =>
  conflict(
    'endpoint_from_repository',
    `Endpoint '${name}' comes from a model repository folder and cannot be ${what} here. Change the folder; in the mode 'explicit' load and unload it with POST /v2/repository/models/${name}/load and …/unload.`,
    { details: { endpoint: name } },
  );
