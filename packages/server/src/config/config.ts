import type { ArtifactBucket } from './artifacts.ts';

/** Everything that can be set, resolved. Flags beat the environment (`BINNACLE_*`), which beats `binnacle.config.*`, which beats the defaults. */
export interface Config {
  dataDir: string;
  host: string;
  port: number;
  /** gRPC (Open Inference, TensorFlow Serving, health); undefined: none. */
  grpcPort: number | undefined;
  /** Required as soon as the server listens wider than loopback. */
  token: string | undefined;
  /** Further host names that browsers may use to reach the server. */
  allowedHosts: string[];
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  database: {
    /** A database server, with its password: not to be logged. Undefined: SQLite in the data directory. */
    url: string | undefined;
    /** SQLite only. */
    synchronous: 'FULL' | 'NORMAL';
  };
  /** Where the artifacts are; undefined: in a folder of the data directory. */
  artifacts: ArtifactBucket | undefined;
  /** What local copies from a bucket may take, bytes. */
  artifactCacheBytes: number;
  limits: {
    /** Largest request body of the data plane, bytes (Triton's default). */
    maxBodyBytes: number;
    /** Largest JSON body of the control plane, bytes. */
    maxJsonBytes: number;
    /** Largest artifact upload, bytes. */
    maxUploadBytes: number;
  };
  serving: {
    /** Worker-thread instances of a model that is too slow to run inline. */
    instances: number;
    threads: number;
    /** Requests waiting for a model before new ones are refused with 503. */
    maxQueue: number;
    /** Served at POST /invocations when set. */
    defaultEndpoint: string | undefined;
    /** Folders of models as Triton lays them out, served as they are. */
    modelRepositories: string[];
    /** As Triton's --model-control-mode. */
    modelControlMode: 'none' | 'poll' | 'explicit';
    repositoryPollSeconds: number;
    /** What is loaded at the start in the mode explicit; `*`: everything. */
    loadModels: string[];
    /** Whether clients may hand over tensors in this machine's shared memory (/dev/shm). */
    sharedMemory: boolean;
    /** Whether models that need Python may be started: in containers, in managed environments on this machine, or not at all. */
    python: 'container' | 'environment' | 'off';
    /** An interpreter that already has mlflow and what the models need, instead of environments that are built; mode environment. */
    pythonInterpreter: string | undefined;
    /** An image that already has mlflow and what the models need, instead of images that are built; mode container. */
    pythonImage: string | undefined;
    /** What containers reach: nothing (they are asked over a Unix socket), or what Docker's bridge or the host does. */
    pythonNetwork: 'none' | 'bridge' | 'host';
    /** Names of variables of this server's environment that Python models, pip and uv may see; they see no others. */
    pythonEnv: string[];
  };
  remote: {
    /** Hosts that models elsewhere may run at (`host`, `host:port`, `*.domain`); empty: any but link-local addresses. */
    hosts: string[];
    /** The folder whose files may be named as tokens of remote models; undefined: none. */
    secretsDir: string | undefined;
  };
  batch: {
    /** Folders that batch jobs may read and write; undefined: anywhere when only loopback listens, the data directory otherwise. */
    roots: string[] | undefined;
    workers: number;
  };
  monitoring: {
    enabled: boolean;
    /** Seconds between two evaluations of drift and alarms. */
    evaluateSeconds: number;
  };
}
