/** The standard gRPC health service. */
export { grpcHealth } from './health.ts';
