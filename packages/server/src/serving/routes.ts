import type { ServedTarget } from './serving.port.ts';
import type { InferenceStatistics } from './inference-statistics.ts';
import type { LiveStats } from './stats.ts';
import type { LoadedVersion } from './version.ts';

/** One target of an endpoint's traffic, loaded. */
export interface Route extends ServedTarget {
  readonly loaded: LoadedVersion;
  readonly stats: LiveStats;
  readonly inference: InferenceStatistics;
  readonly loadedAt: number;
}

/** What an endpoint serves at one moment; replaced as a whole, so that a request sees the old or the new, never a mixture. */
export interface Routes {
  readonly live: readonly Route[];
  readonly shadows: readonly Route[];
  /** The model's aliases that they were made from. */
  readonly aliases: Readonly<Record<string, number>>;
}

export const allRoutes = (routes: Routes | undefined): Route[] => (routes === undefined ? [] : [...routes.live, ...routes.shadows]);

/** The target that gets the most requests, which stands for the endpoint where one version must. */
export const heaviest = (routes: readonly Route[]): Route | undefined => routes.toSorted((a, b) => b.weight - a.weight)[0];
