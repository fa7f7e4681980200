import { type BinnacleError, invalid, unavailable } from '../../../kernel/index.ts';
import type { OpenInferenceCore } from '../core.ts';
import { noCuda } from '../http-control.ts';
import type { ModelRepository } from '../repository.ts';
import type { SystemSharedMemory } from '../shared-memory.ts';
import type { Long } from './wire.ts';

const bad = (text: string): BinnacleError => invalid('invalid_parameter', text);
const named = (name: string): string | undefined => (name === '' ? undefined : name);

interface RepositoryParameter {
  parameter_choice?: 'bool_param' | 'int64_param' | 'string_param' | 'bytes_param';
  bool_param: boolean;
  string_param: string;
  bytes_param: Buffer;
}
interface WireLoad {
  model_name: string;
  parameters: Record<string, RepositoryParameter>;
}

/** The model repository extension. Load and unload look for the model in every repository, as Triton does. */
export const repositoryMethods = (repository: ModelRepository) =>
  ({
    RepositoryIndex: {
      kind: 'unary',
      handle: async ({ repository_name, ready }: { repository_name: string; ready: boolean }) => ({
        models: await repository.index({ repository: named(repository_name), ready }),
      }),
    },
    RepositoryModelLoad: {
      kind: 'unary',
      async handle({ model_name, parameters }: WireLoad) {
        await repository.load(model_name, loadOf(parameters));
        return {};
      },
    },
    RepositoryModelUnload: {
      kind: 'unary',
      async handle({ model_name, parameters }: WireLoad) {
        const { unload_dependents: dependents } = parameters;
        if (dependents !== undefined && dependents.parameter_choice !== 'bool_param')
          throw bad("invalid value type for 'unload_dependents' parameter, expected bool_param.");
        await repository.unload(model_name, { dependents: dependents?.bool_param ?? false });
        return {};
      },
    },
  }) as const;

/** `config` is JSON text, `file:<path>` the bytes of a file. */
function loadOf(parameters: WireLoad['parameters']): { config?: string; files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  let config: string | undefined;
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'config') {
      if (value.parameter_choice !== 'string_param') throw bad(`invalid value type for load parameter '${name}', expected string_param.`);
      config = value.string_param;
    } else if (name.startsWith('file:')) {
      if (value.parameter_choice !== 'bytes_param') throw bad(`invalid value type for load parameter '${name}', expected bytes_param.`);
      // The message's memory is used again, and a load may outlive it.
      files.set(name.slice('file:'.length), Uint8Array.from(value.bytes_param));
    } else throw bad(`unrecognized load parameter '${name}'.`);
  }
  return { ...(config === undefined ? {} : { config }), files };
}

interface WireRegion {
  name: string;
  key: string;
  offset: Long;
  byte_size: Long;
}

/** System shared memory; that of CUDA is in no region and takes none. */
export const memoryMethods = (memory: SystemSharedMemory) =>
  ({
    SystemSharedMemoryStatus: {
      kind: 'unary',
      handle: ({ name }: { name: string }) => ({ regions: Object.fromEntries(memory.status(named(name)).map((region) => [region.name, region])) }),
    },
    SystemSharedMemoryRegister: {
      kind: 'unary',
      handle({ name, key, offset, byte_size }: WireRegion) {
        memory.register({ name, key, offset: offset.toNumber(), byte_size: byte_size.toNumber() });
        return {};
      },
    },
    SystemSharedMemoryUnregister: {
      kind: 'unary',
      handle({ name }: { name: string }) {
        memory.unregister(named(name));
        return {};
      },
    },
    CudaSharedMemoryStatus: { kind: 'unary', handle: () => ({ regions: {} }) },
    CudaSharedMemoryRegister: {
      kind: 'unary',
      handle() {
        throw noCuda();
      },
    },
    CudaSharedMemoryUnregister: { kind: 'unary', handle: () => ({}) },
  }) as const;

interface WireTraceSettings {
  model_name: string;
  settings: Record<string, { value: string[] }>;
}
interface WireLogSettings {
  settings: Record<
    string,
    { parameter_choice?: 'bool_param' | 'uint32_param' | 'string_param'; bool_param: boolean; uint32_param: number; string_param: string }
  >;
}

/** Trace and log settings: told, and changed where the request names some. */
export const settingsMethods = (core: OpenInferenceCore) =>
  ({
    TraceSetting: {
      kind: 'unary',
      handle({ model_name, settings }: WireTraceSettings) {
        const { traces } = core;
        if (traces === undefined) throw unavailable('not_available', 'the server does not support trace');
        const model = named(model_name);
        if (model !== undefined) core.traceable(model);
        // No values: back to what it was.
        const change = Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value.length === 0 ? null : value]));
        const now = Object.keys(change).length === 0 ? traces.settings(model) : traces.update(model, change);
        return { settings: Object.fromEntries(Object.entries(now).map(([name, value]) => [name, { value: [value].flat() }])) };
      },
    },
    LogSettings: {
      kind: 'unary',
      async handle({ settings }: WireLogSettings) {
        const { logs } = core;
        if (logs === undefined) throw unavailable('not_available', 'the server does not support dynamic logging');
        const change = Object.fromEntries(
          Object.entries(settings).flatMap(([name, value]) => (value.parameter_choice === undefined ? [] : [[name, value[value.parameter_choice]]])),
        );
        const now = Object.keys(change).length === 0 ? logs.get() : await logs.update(change);
        return { settings: Object.fromEntries(Object.entries(now).map(([name, value]) => [name, logValue(value)])) };
      },
    },
  }) as const;

function logValue(value: string | number | boolean): object {
  if (typeof value === 'boolean') return { bool_param: value };
  return typeof value === 'number' ? { uint32_param: value } : { string_param: value };
}
