import { artifactOperations } from './artifacts.ts';
import { batchOperations } from './batch.ts';
import { importOperations } from './import.ts';
import { monitoringOperations } from './monitoring.ts';
import { registryOperations } from './registry.ts';
import { servingOperations } from './serving.ts';
import { systemOperations } from './system.ts';
import { trackingOperations } from './tracking.ts';
import { upkeepOperations } from './upkeep.ts';

export * from './artifacts.ts';
export * from './batch.ts';
export * from './common.ts';
export * from './import.ts';
export * from './monitoring.ts';
export * from './operation.ts';
export * from './registry.ts';
export * from './serving.ts';
export * from './system.ts';
export * from './tracking.ts';
export * from './upkeep.ts';

/** The prefix of the native API. */
export const API_PREFIX = '/api/binnacle/v1';

/** Every operation of the native API by its id (the OpenAPI `operationId`). */
export const operations = {
  ...systemOperations,
  ...trackingOperations,
  ...artifactOperations,
  ...registryOperations,
  ...servingOperations,
  ...batchOperations,
  ...monitoringOperations,
  ...upkeepOperations,
  ...importOperations,
};
export type Operations = typeof operations;
export type OperationId = keyof Operations;
