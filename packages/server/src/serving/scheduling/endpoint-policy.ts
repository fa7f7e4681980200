import type { Batching, EndpointConfig } from '@binnacle/contract';
import { EndpointLimits } from './endpoint-limits.ts';
import { ResponseCache } from './response-cache.ts';

/** What of an endpoint's configuration takes effect at once, without loading anything anew. Its versions look here at every request. */
export class EndpointPolicy {
  readonly limits = new EndpointLimits();
  cache: ResponseCache | undefined;
  batching: Batching = {};
  /** Share of the requests whose inputs and outputs are looked at. */
  monitoringSample = 1;

  configure(config: EndpointConfig, serverMaxQueue: number): void {
    this.limits.configure(config, serverMaxQueue);
    this.batching = config.batching ?? {};
    this.monitoringSample = config.monitoringSample ?? 1;
    if (config.cache === undefined) this.cache = undefined;
    else if (this.cache === undefined) this.cache = new ResponseCache(config.cache);
    else this.cache.configure(config.cache);
  }
}
