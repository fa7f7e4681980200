import { BinnacleError, invalid } from '../kernel/index.ts';
import type { ModelPackage, RemoteInspector, RemoteProtocol, RemoteSpec, Signature } from '../registry/index.ts';
import type { LoadOptions, PackageRuntime } from '../serving/index.ts';
import type { RemoteClient, RemoteClientFactory } from './client.ts';
import { checkHost } from './hosts.ts';
import { measure, RemoteModel } from './model.ts';
import { openSecret, type Secret } from './secret.ts';

export interface RemoteRuntimeOptions {
  clients: Record<RemoteProtocol, RemoteClientFactory>;
  /** Hosts that may be called; empty: all but link-local addresses, and only AWS for Lambda. */
  allowedHosts: readonly string[];
  secretsDir?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** Of one reply, bytes. */
  maxReplyBytes: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** Registering waits for a server elsewhere, but not long: what it says is asked for again when the model is loaded. */
const INSPECT_MS = 3000;
const DESCRIBE_MS = 10_000;
/** Requests under way at one server unless the endpoint says otherwise (`instances`). */
const DEFAULT_SLOTS = 64;

interface Opened {
  client: RemoteClient;
  secret: Secret | undefined;
}

/** Models on servers elsewhere, whatever they speak. */
export function createRemoteRuntime(options: RemoteRuntimeOptions): PackageRuntime & RemoteInspector {
  async function open(spec: RemoteSpec, signature: Signature | null, slots: number): Promise<Opened> {
    checkHost(spec.url, options.allowedHosts, spec.protocol === 'lambda');
    const secret = spec.token === undefined ? undefined : await openSecret(spec.token, { env: options.env ?? process.env, secretsDir: options.secretsDir });
    const label = `The server at ${labelOf(spec)}`;
    const token = (): string | undefined => secret?.value;
    const client = await options.clients[spec.protocol]({
      spec,
      signature,
      label,
      token,
      http: {
        label,
        connections: slots,
        maxReplyBytes: options.maxReplyBytes,
        guardLookup: options.allowedHosts.length === 0,
        headers: (): Record<string, string> => (secret === undefined ? {} : { authorization: `Bearer ${secret.value}` }),
      },
    });
    return { client, secret };
  }

  return {
    async load(pkg: ModelPackage, load: LoadOptions = {}) {
      const spec = pkg.runtime;
      if (spec?.kind !== 'remote') throw invalid('not_remote', `${pkg.model} version ${pkg.version} does not run elsewhere.`);
      const slots = load.instances ?? DEFAULT_SLOTS;
      const timeoutMs = Math.min(spec.timeoutMs ?? DEFAULT_TIMEOUT_MS, load.runTimeoutMs ?? Number.POSITIVE_INFINITY);
      const { client, secret } = await open(spec, pkg.signature, slots);
      try {
        const facts = await client.describe({ deadline: performance.now() + DESCRIBE_MS });
        const runMicros = await measure(client, facts, load.sample, timeoutMs);
        return new RemoteModel({ client, facts, secret, timeoutMs, slots, runMicros });
      } catch (error) {
        client.close();
        throw error;
      }
    },

    async inspect(spec, signature) {
      const { client } = await open(spec, signature, 1).catch((error: unknown) => {
        // A secret may come later; a place that may not be called stays one.
        if (error instanceof BinnacleError && error.kind === 'unavailable') return { client: undefined };
        throw error;
      });
      if (client === undefined) return null;
      try {
        const { inputs, outputs } = await client.describe({ deadline: performance.now() + INSPECT_MS });
        return inputs.length === 0 ? null : { inputs, outputs };
      } catch (error) {
        if (error instanceof BinnacleError) return null;
        throw error;
      } finally {
        client.close();
      }
    },
  };
}

/** Host and model, without what a path may hold. */
const labelOf = ({ url, model, protocol }: RemoteSpec): string => `${new URL(url).host || protocol} (model '${model}')`;
