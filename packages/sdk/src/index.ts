export { type CallInput, type CallOptions, type CallResult, type Client, type ClientOptions, createClient } from './client.ts';
export { BinnacleApiError } from './errors.ts';
export { RunLogger, type StartRunOptions, startRun } from './run-logger.ts';
