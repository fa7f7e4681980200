/** What can be set, and where it is read from. */
export { parseArtifacts } from './artifacts.ts';
export type { Config } from './config.ts';
export { packagedFolder } from './package-files.ts';
export { type ConfigInput, DEFAULT_PORT, loadConfig } from './load.ts';
