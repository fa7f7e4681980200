import type { EndpointSearch } from '../../app/search.ts';

/** The tab of an endpoint's page: a link to the log of what writes none (any more) leads to the overview. */
export const shownTab = (wanted: EndpointSearch['tab'], logged: readonly number[]): NonNullable<EndpointSearch['tab']> | 'overview' =>
  wanted === undefined || (wanted === 'log' && logged.length === 0) ? 'overview' : wanted;

/** The version whose log is shown: the chosen one as long as it has one. */
export const shownVersion = (chosen: number | undefined, logged: readonly number[]): number | undefined =>
  chosen !== undefined && logged.includes(chosen) ? chosen : logged[0];
