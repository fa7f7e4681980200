import type { EndpointConfig } from '@binnacle/contract';
import { loadOptionsOf } from './load-options.ts';
import type { EndpointRecord, ModelSource } from './serving.port.ts';
import { resolveTraffic } from './traffic.ts';
import type { VersionPool } from './version-pool.ts';

/**
 * Loads what an endpoint would serve under another configuration, beside what it serves, before anything changes. Throws what the first version
 * that does not load says, or `unavailable` once `signal` is aborted, and keeps nothing then. What comes back lets go of them: an endpoint that has taken them meanwhile shares them.
 */
export async function trialLoad(
  pool: VersionPool,
  source: ModelSource,
  { model, traffic }: Pick<EndpointRecord, 'model' | 'traffic'>,
  config: EndpointConfig,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const targets = resolveTraffic(model, traffic, await source.aliases(model));
  const versions = [...new Set(targets.map(({ version }) => version))];
  const tried = await Promise.allSettled(
    versions.map(async (version) => pool.acquire(await source.resolve(model, { version }), loadOptionsOf(config), undefined, signal)),
  );
  const release = async (): Promise<void> => {
    await Promise.all(tried.filter((one) => one.status === 'fulfilled').map(({ value }) => value.close()));
  };
  const failed = tried.find((one) => one.status === 'rejected');
  if (failed === undefined) return release;
  await release();
  throw failed.reason;
}
