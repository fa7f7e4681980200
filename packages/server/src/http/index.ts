/** One port for every protocol, and the native API. */
export type { DataPlane } from './data-plane/index.ts';
export { fromFastify } from './errors.ts';
export { isLoopback } from './guard.ts';
export { nativeRoutes } from './native.ts';
export { batchHandlers } from './routes/batch.routes.ts';
export { monitoringHandlers } from './routes/monitoring.routes.ts';
export { registryHandlers } from './routes/registry.routes.ts';
export { servingHandlers } from './routes/serving.routes.ts';
export { systemHandlers } from './routes/system.routes.ts';
export { trackingHandlers } from './routes/tracking.routes.ts';
export { upkeepHandlers } from './routes/upkeep.routes.ts';
export { createHttpServer, type HttpServer } from './server.ts';
