/** One port for every protocol, and the native API. */
export type { DataPlane } from './data-plane/index.ts';
export { disposition } from './disposition.ts';
export { fromFastify } from './errors.ts';
export { isLoopback } from './guard.ts';
export { artifactHandlers } from './routes/artifacts.routes.ts';
export { nativeRoutes } from './native.ts';
export { parseRange } from './ranges.ts';
export { batchHandlers } from './routes/batch.routes.ts';
export { importHandlers } from './routes/import.routes.ts';
export { monitoringHandlers } from './routes/monitoring.routes.ts';
export { registryHandlers } from './routes/registry.routes.ts';
export { servingHandlers } from './routes/serving.routes.ts';
export { systemHandlers } from './routes/system.routes.ts';
export { trackingHandlers } from './routes/tracking.routes.ts';
export { viewHandlers } from './routes/views.routes.ts';
export { upkeepHandlers } from './routes/upkeep.routes.ts';
export { createHttpServer, type HttpServer } from './server.ts';
