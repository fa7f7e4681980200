/** Executors for programs of others: where they run, and how they are kept up. */
export { Backoff, type BackoffOptions } from './backoff.ts';
export type { ExitReason } from './exit-reason.ts';
export type { LogLine } from './log-ring.ts';
export type { HealthProbe, LogSource, OnLine, Place, Service, ServiceHost, ServiceSpec, Software } from './service.port.ts';
export { ServiceLog } from './service-log.ts';
export { Supervisor, type SupervisorOptions } from './supervisor.ts';
