import type { Client } from '@binnacle/sdk';

/** What every step of the demo works with. The steps speak HTTP only, as any client of a running Binnacle would. */
export interface DemoContext {
  client: Client;
  url: string;
  dataDir: string;
}

/** One name for the experiment, the registered model and the endpoint. */
export const NAME = 'flight-delays';
export const ALIAS = 'champion';

/** The data's times have no zone and are taken as UTC throughout (examples/flight-delays/README.md). */
export const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);
export const DAY_MS = 86_400_000;
export const WEEK_MS = 7 * DAY_MS;

/**
 * A part of May and June, replayed as live requests: seven whole weeks, Monday 7 May to Sunday 24 June 2001, and the first hours of the Monday
 * after. Only an event beyond its end tells monitoring that a week is complete.
 */
export const LIVE = { from: day('2001-05-07'), to: day('2001-06-25') + 6 * 3_600_000 };
/** The simulated fault: for this one week, Monday 11 to Sunday 17 June, distances come in kilometres. */
export const FAULT = {
  from: day('2001-06-11'),
  to: day('2001-06-18'),
  feature: 'distance',
  factor: 1.609344,
  what: 'distances come in kilometres instead of miles',
};
