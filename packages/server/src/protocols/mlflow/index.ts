/** MLflow's REST protocol: tracking, registry and the artifact proxy. */
export { artifactRoutes } from './artifacts.routes.ts';
export { type MlflowOptions, mlflowRoutes, SPOKEN_VERSION } from './http.ts';
export { registryRoutes } from './registry.routes.ts';
export { trackingRoutes } from './tracking.routes.ts';
