import type { ExitReason } from './exit-reason.ts';

/** What a service's program needs around it: an image that is there for it, or Python packages to be installed. */
export type Software =
  | { kind: 'image'; image: string }
  /** `python`: the version wanted, such as 3.11 (null: any). `requirements`: lines as pip takes them, which may name their `constraints` as constraints.txt. */
  | { kind: 'python'; python: string | null; requirements: string; constraints: string | null };

/** Where a service has been put, as its own command must name it. */
export interface Place {
  /** The interpreter to start Python with. */
  python: string;
  /** What it must listen on. */
  host: string;
  port: number;
  /** A Unix socket that it must listen on instead, where it has no network: `UVICORN_UDS` says so to uvicorn by itself. */
  socket?: string | undefined;
  /** Its read-only folders, by the names that the specification gave them. */
  folders: Readonly<Record<string, string>>;
}

/** A program that runs for long and answers over HTTP. */
export interface ServiceSpec {
  /** Names it in messages and labels. */
  name: string;
  software: Software;
  command(place: Place): string[];
  /** All of its environment, besides PATH, LANG and a HOME of its own: nothing of ours is handed on. */
  env: Readonly<Record<string, string>>;
  /** Folders it may read, by a name of letters. */
  folders: Readonly<Record<string, string>>;
  limits: { memoryMiB?: number | undefined; cpus?: number | undefined };
}

/** A line that a service wrote, or that was said about it. */
export type LogSource = 'stdout' | 'stderr' | 'binnacle';
export type OnLine = (text: string, source: LogSource) => void;

/** A service that was started. */
export interface Service {
  readonly id: string;
  /** Where this machine reaches it: loopback. */
  readonly host: string;
  readonly port: number;
  /** Resolves when nothing of it runs any more, whoever ended it. Never rejects. */
  readonly exited: Promise<ExitReason>;
  /** Asks it to end (SIGTERM) and ends it (SIGKILL) after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** Resident memory, all its processes; undefined when it cannot be told. */
  memoryBytes(): Promise<number | undefined>;
}

/** Where services run: containers, processes with a managed environment. */
export interface ServiceHost {
  /** What it starts services with, in a line. Throws `unavailable` when that is not there, with what to do. */
  describe(): Promise<string>;
  /**
   * Builds or fetches the software, once for all who need the same. Throws `unavailable` when the host itself is not there or the software cannot be
   * had, with what to do. Once `signal` is aborted and nobody else waits for it, nothing of it runs on.
   */
  prepare(spec: ServiceSpec, onLine: OnLine, signal?: AbortSignal): Promise<void>;
  /** Starts what has been prepared. */
  start(spec: ServiceSpec, onLine: OnLine): Promise<Service>;
  /** Ends what an earlier process of ours left behind when it was killed; how many there were. */
  sweep(): Promise<number>;
  /** Ends what still runs. */
  close(): Promise<void>;
}

/** True when the service answers GET `path` with 200. */
export type HealthProbe = (service: Pick<Service, 'host' | 'port'>, path: string, timeoutMs: number) => Promise<boolean>;
