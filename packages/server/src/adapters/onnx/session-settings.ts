import type { ExecutionProvider } from '@binnacle/contract';
import { type BinnacleError, invalid, unsupported } from '../../kernel/index.ts';

/** How a session is made; plain data, for threads and processes. */
export interface SessionSettings {
  /** Intra-op threads. */
  threads: number;
  /** The preferred first; CPU alone when absent. */
  providers?: ExecutionProvider[];
  /** False: memory is taken and given back by each run, not kept in the session's arena. */
  memoryArena?: boolean;
}

type Name = ExecutionProvider['name'];
type Option = 'boolean' | 'number' | 'string';

/** The binding's names, and the options that it reads of each (https://onnxruntime.ai/docs/execution-providers/); it ignores others in silence, so we do not. */
const PROVIDERS: Record<Name, { native: string; options: Record<string, Option> }> = {
  cpu: { native: 'cpu', options: { useArena: 'boolean' } },
  cuda: { native: 'cuda', options: { deviceId: 'number' } },
  tensorrt: { native: 'tensorrt', options: { deviceId: 'number' } },
  directml: { native: 'dml', options: { deviceId: 'number' } },
  coreml: {
    native: 'coreml',
    options: { coreMlFlags: 'number', useCPUOnly: 'boolean', useCPUAndGPU: 'boolean', enableOnSubgraph: 'boolean', onlyEnableDeviceWithANE: 'boolean' },
  },
  webgpu: {
    native: 'webgpu',
    options: { preferredLayout: 'string', validationMode: 'string', storageBufferCacheMode: 'string', enableGraphCapture: 'boolean' },
  },
  openvino: { native: 'openvino', options: {} },
  rocm: { native: 'rocm', options: {} },
  xnnpack: { native: 'xnnpack', options: {} },
};

/** An execution provider that the runtime's build knows; those that are not bundled need their vendor's libraries on the machine. */
export interface Backend {
  name: string;
  bundled: boolean;
}

const describe = (backends: readonly Backend[]): string =>
  backends.map(({ name, bundled }) => `${ours(name)}${bundled ? '' : ' (where its libraries are installed)'}`).join(', ');
const ours = (native: string): string => Object.entries(PROVIDERS).find(([, entry]) => entry.native === native)?.[0] ?? native;

const bad = (text: string): BinnacleError => invalid('wrong_provider_option', text);

function checkOptions({ name, options = {} }: ExecutionProvider): void {
  const known = PROVIDERS[name].options;
  for (const [key, value] of Object.entries(options)) {
    const type = known[key];
    const names = Object.keys(known).join(', ');
    if (type === undefined) throw bad(`the execution provider '${name}' has no option '${key}'; it has ${names === '' ? 'none' : names}`);
    if (typeof value !== type) throw bad(`the option '${key}' of the execution provider '${name}' is a ${type}, not ${JSON.stringify(value)}`);
  }
}

/** One way to make the session: the options that the binding takes. */
export interface Attempt {
  providers: Name[];
  options: object;
}

/**
 * The ways to make a session, in the order in which they are tried: with all the providers that this build has, then without the first, and so
 * on. Throws `invalid` for an option that a provider does not have, `unsupported` (provider_missing) when this build has none of them.
 */
export function sessionAttempts(settings: SessionSettings, backends: readonly Backend[]): Attempt[] {
  const wanted: ExecutionProvider[] = settings.providers === undefined || settings.providers.length === 0 ? [{ name: 'cpu' }] : settings.providers;
  wanted.forEach(checkOptions);
  const here = wanted.filter(({ name }) => backends.some((backend) => backend.name === PROVIDERS[name].native));
  if (here.length === 0)
    throw unsupported(
      'provider_missing',
      `ONNX Runtime has no execution provider ${wanted.map(({ name }) => `'${name}'`).join(' or ')} on this machine. It has ${describe(backends)}. Add 'cpu' as the last provider to fall back on it.`,
    );
  return here.map((_, first) => {
    const list = here.slice(first);
    return {
      providers: list.map(({ name }) => name),
      options: {
        intraOpNumThreads: settings.threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
        ...(settings.memoryArena === false ? { enableCpuMemArena: false, enableMemPattern: false } : {}),
        executionProviders: list.map(({ name, options }) => ({ name: PROVIDERS[name].native, ...options })),
      },
    };
  });
}

/** Settings without the providers that turned out not to be there, which would be tried, and complain, once more a session. */
export const usable = (settings: SessionSettings, used: readonly Name[]): SessionSettings =>
  settings.providers === undefined ? settings : { ...settings, providers: settings.providers.filter(({ name }) => used.includes(name)) };

/** Says which of the wanted providers are not in use; undefined when all are. */
export function providerNotice(settings: SessionSettings, used: readonly Name[]): string | undefined {
  const missed = (settings.providers ?? []).map(({ name }) => name).filter((name) => !used.includes(name));
  return missed.length === 0 ? undefined : `it runs on ${used.join(', ')}, because ${missed.join(', ')} cannot be used on this machine`;
}
