/** What a version must pass before an alias may move to it. */
export { createGatesService, type GatesDeps, type GatesService } from './gates.service.ts';
export type { ModelRunner, OpenModel } from './model-runner.port.ts';
