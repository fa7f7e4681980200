import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { invalid } from '../kernel/index.ts';
import { parseArtifacts } from './artifacts.ts';
import type { Config } from './config.ts';

/** What a flag, a variable or the configuration file may set. */
export interface ConfigInput {
  data?: string;
  host?: string;
  port?: number;
  /** The port after `port` by default, as Triton has it (8000 and 8001); 0 takes a free one; -1: no gRPC. */
  grpcPort?: number;
  token?: string;
  allowedHosts?: string[];
  logLevel?: Config['logLevel'];
  /** postgres:// or mysql://; in the file also `{ url }`. */
  database?: string | { url?: string };
  synchronous?: Config['database']['synchronous'];
  artifacts?: string;
  artifactCacheBytes?: number;
  maxBodyBytes?: number;
  maxJsonBytes?: number;
  maxUploadBytes?: number;
  instances?: number;
  threads?: number;
  maxQueue?: number;
  defaultEndpoint?: string;
  modelRepository?: string[];
  modelControlMode?: Config['serving']['modelControlMode'];
  repositoryPollSeconds?: number;
  loadModels?: string[];
  /** On by default where only this machine can reach the server. */
  sharedMemory?: boolean;
  python?: Config['serving']['python'];
  remoteHosts?: string[];
  remoteSecrets?: string;
  pythonInterpreter?: string;
  pythonImage?: string;
  pythonNetwork?: Config['serving']['pythonNetwork'];
  pythonEnv?: string[];
  batchRoots?: string[];
  batchWorkers?: number;
  monitoring?: boolean;
  evaluateSeconds?: number;
}

export const DEFAULT_PORT = 8000;
const MIB = 1024 * 1024;
const CONFIG_FILES = ['binnacle.config.ts', 'binnacle.config.js', 'binnacle.config.mjs', 'binnacle.config.json'];

/** Flags beat the environment, which beats the configuration file in `cwd`, which beats the defaults. */
export async function loadConfig(flags: ConfigInput, env: NodeJS.ProcessEnv = process.env, cwd: string = process.cwd()): Promise<Config> {
  const input = { ...(await readConfigFile(cwd)), ...dropUndefined(readEnvironment(env)), ...dropUndefined(flags) } as ConfigInput;
  const config: Config = {
    dataDir: resolve(cwd, expandHome(input.data ?? join(homedir(), '.binnacle'))),
    host: input.host ?? '127.0.0.1',
    port: whole('port', input.port ?? DEFAULT_PORT, 0, 65535),
    grpcPort: input.grpcPort === -1 ? undefined : whole('grpcPort', input.grpcPort ?? besides(input.port ?? DEFAULT_PORT), 0, 65535),
    token: input.token === '' ? undefined : input.token,
    allowedHosts: input.allowedHosts ?? [],
    logLevel: oneOf('logLevel', input.logLevel ?? 'info', ['debug', 'info', 'warn', 'error', 'silent']),
    database: { url: databaseUrl(input.database), synchronous: oneOf('synchronous', input.synchronous ?? 'FULL', ['FULL', 'NORMAL']) },
    artifacts: parseArtifacts(input.artifacts),
    artifactCacheBytes: whole('artifactCacheBytes', input.artifactCacheBytes ?? 20 * 1024 * MIB, MIB, Number.MAX_SAFE_INTEGER),
    limits: {
      maxBodyBytes: whole('maxBodyBytes', input.maxBodyBytes ?? 64 * MIB, 1024, 4096 * MIB),
      maxJsonBytes: whole('maxJsonBytes', input.maxJsonBytes ?? 32 * MIB, 1024, 1024 * MIB),
      maxUploadBytes: whole('maxUploadBytes', input.maxUploadBytes ?? 64 * 1024 * MIB, 1024, Number.MAX_SAFE_INTEGER),
    },
    serving: {
      instances: whole('instances', input.instances ?? 1, 1, 64),
      threads: whole('threads', input.threads ?? 1, 1, 256),
      maxQueue: whole('maxQueue', input.maxQueue ?? 1000, 1, 1_000_000),
      defaultEndpoint: input.defaultEndpoint,
      modelRepositories: (input.modelRepository ?? []).map((dir) => resolve(cwd, expandHome(dir))),
      modelControlMode: oneOf('modelControlMode', input.modelControlMode ?? 'none', ['none', 'poll', 'explicit']),
      repositoryPollSeconds: whole('repositoryPollSeconds', input.repositoryPollSeconds ?? 15, 1, 86400),
      loadModels: input.loadModels ?? [],
      sharedMemory: input.sharedMemory ?? isLocal(input.host ?? '127.0.0.1'),
      python: oneOf('python', input.python ?? 'container', ['container', 'environment', 'off']),
      pythonInterpreter: input.pythonInterpreter === undefined ? undefined : interpreterPath(cwd, input.pythonInterpreter),
      pythonImage: input.pythonImage || undefined,
      // A container's Unix socket reaches the host on Linux alone.
      pythonNetwork: oneOf('pythonNetwork', input.pythonNetwork ?? (process.platform === 'linux' ? 'none' : 'bridge'), ['none', 'bridge', 'host']),
      pythonEnv: names('pythonEnv', input.pythonEnv ?? []),
    },
    remote: {
      hosts: input.remoteHosts ?? [],
      secretsDir: input.remoteSecrets === undefined || input.remoteSecrets === '' ? undefined : resolve(cwd, expandHome(input.remoteSecrets)),
    },
    batch: { roots: input.batchRoots?.map((root) => resolve(cwd, expandHome(root))), workers: whole('batchWorkers', input.batchWorkers ?? 1, 1, 64) },
    monitoring: { enabled: input.monitoring ?? true, evaluateSeconds: whole('evaluateSeconds', input.evaluateSeconds ?? 60, 1, 86400) },
  };
  return config;
}

const isLocal = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
const besides = (port: number): number => (port === 0 || port >= 65535 ? 0 : port + 1);

async function readConfigFile(cwd: string): Promise<ConfigInput> {
  for (const name of CONFIG_FILES) {
    const file = join(cwd, name);
    if (!existsSync(file)) continue;
    try {
      const module = (await import(pathToFileURL(file).href, name.endsWith('.json') ? { with: { type: 'json' } } : undefined)) as { default?: ConfigInput };
      return module.default ?? {};
    } catch (cause) {
      throw invalid('config_file', `${file} could not be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
  return {};
}

function readEnvironment(env: NodeJS.ProcessEnv): ConfigInput {
  const list = (value: string | undefined) =>
    value
      ?.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  const number = (name: string) => {
    const value = env[name];
    if (value === undefined || value === '') return undefined;
    const parsed = Number(value);
    if (!Number.isInteger(parsed)) throw invalid('config_value', `${name}=${value} is not a whole number.`);
    return parsed;
  };
  const flag = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : !['0', 'false', 'no', 'off'].includes(env[name].toLowerCase()));
  return {
    data: env.BINNACLE_DATA,
    host: env.BINNACLE_HOST,
    grpcPort: number('BINNACLE_GRPC_PORT'),
    port: number('BINNACLE_PORT') ?? number('PORT'),
    token: env.BINNACLE_TOKEN,
    allowedHosts: list(env.BINNACLE_ALLOWED_HOSTS),
    logLevel: env.BINNACLE_LOG_LEVEL as Config['logLevel'] | undefined,
    database: env.BINNACLE_DATABASE,
    synchronous: env.BINNACLE_SYNCHRONOUS as 'FULL' | 'NORMAL' | undefined,
    artifacts: env.BINNACLE_ARTIFACTS,
    artifactCacheBytes: number('BINNACLE_ARTIFACT_CACHE_BYTES'),
    maxBodyBytes: number('BINNACLE_MAX_BODY_BYTES'),
    maxJsonBytes: number('BINNACLE_MAX_JSON_BYTES'),
    maxUploadBytes: number('BINNACLE_MAX_UPLOAD_BYTES'),
    instances: number('BINNACLE_INSTANCES'),
    threads: number('BINNACLE_THREADS'),
    maxQueue: number('BINNACLE_MAX_QUEUE'),
    defaultEndpoint: env.BINNACLE_DEFAULT_ENDPOINT,
    modelRepository: list(env.BINNACLE_MODEL_REPOSITORY),
    modelControlMode: env.BINNACLE_MODEL_CONTROL_MODE as ConfigInput['modelControlMode'],
    repositoryPollSeconds: number('BINNACLE_REPOSITORY_POLL_SECONDS'),
    loadModels: list(env.BINNACLE_LOAD_MODELS),
    sharedMemory: flag('BINNACLE_SHARED_MEMORY'),
    python: env.BINNACLE_PYTHON as ConfigInput['python'],
    remoteHosts: list(env.BINNACLE_REMOTE_HOSTS),
    remoteSecrets: env.BINNACLE_REMOTE_SECRETS,
    pythonInterpreter: env.BINNACLE_PYTHON_INTERPRETER,
    pythonImage: env.BINNACLE_PYTHON_IMAGE,
    pythonNetwork: env.BINNACLE_PYTHON_NETWORK as ConfigInput['pythonNetwork'],
    pythonEnv: list(env.BINNACLE_PYTHON_ENV),
    batchRoots: list(env.BINNACLE_BATCH_ROOTS),
    batchWorkers: number('BINNACLE_BATCH_WORKERS'),
    monitoring: flag('BINNACLE_MONITORING'),
    evaluateSeconds: number('BINNACLE_EVALUATE_SECONDS'),
  };
}

const dropUndefined = (input: ConfigInput): ConfigInput => Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
/** What it names is read where the engine is chosen. */
const databaseUrl = (database: ConfigInput['database']): string | undefined => (typeof database === 'object' ? database.url : database) || undefined;
/** A name alone is looked for in PATH. */
const interpreterPath = (cwd: string, text: string): string => (text.includes('/') || text.includes('\\') ? resolve(cwd, expandHome(text)) : text);
const expandHome = (path: string): string => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path);

function whole(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw invalid('config_value', `${name} must be a whole number from ${min} to ${max}, not ${value}.`);
  return value;
}

function names(name: string, values: string[]): string[] {
  const bad = values.find((value) => !/^[A-Za-z_]\w*$/.test(value));
  if (bad !== undefined) throw invalid('config_value', `${name} takes names of environment variables, not ${bad}.`);
  return values;
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  if (!(allowed as readonly string[]).includes(value)) throw invalid('config_value', `${name} must be one of ${allowed.join(', ')}, not ${value}.`);
  return value as T;
}
