import { artifactOperations } from './artifacts.ts';
import { batchOperations } from './batch.ts';
import { importOperations } from './import.ts';
import { monitoringOperations } from './monitoring.ts';
import { registryOperations } from './registry.ts';
import { runGroupOperations } from './run-groups.ts';
import { servingOperations } from './serving.ts';
import { systemOperations } from './system.ts';
import { trackingOperations } from './tracking.ts';
import { upkeepOperations } from './upkeep.ts';
import { viewOperations } from './views.ts';

export * from './artifacts.ts';
export * from './batch.ts';
export * from './common.ts';
export * from './import.ts';
export * from './monitoring.ts';
export * from './operation.ts';
export * from './registry.ts';
export * from './run-groups.ts';
export * from './serving-config.ts';
export * from './series.ts';
export * from './serving-config.ts';
export * from './serving.ts';
export * from './system.ts';
export * from './tracking.ts';
export * from './upkeep.ts';
export * from './views.ts';

/** The prefix of the native API. */
export const API_PREFIX = '/api/binnacle/v1';

/** Every operation of the native API by its id (the OpenAPI `operationId`). */
export const operations = {
  ...systemOperations,
  ...trackingOperations,
  ...artifactOperations,
  ...runGroupOperations,
  ...registryOperations,
  ...servingOperations,
  ...batchOperations,
  ...monitoringOperations,
  ...upkeepOperations,
  ...importOperations,
  ...viewOperations,
};
export type Operations = typeof operations;
export type OperationId = keyof Operations;
