/** Services as supervised processes with managed Python environments. */
export { createEnvironments, type Environments, type EnvironmentsOptions } from './environments.ts';
export { createProcessHost, type ProcessHostOptions } from './host.ts';
export { httpProbe } from './http-probe.ts';
