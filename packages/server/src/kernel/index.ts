/** What every room may use and what knows none of them: errors, ids, clock, paging, events, logging, plain values. */
export * from './clock.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './ids.ts';
export * from './logger.ts';
export * from './loose-json.ts';
export * from './memory.ts';
export * from './paging.ts';
export * from './shared-work.ts';
export * from './text.ts';
export * from './module-url.ts';
export * from './values.ts';
