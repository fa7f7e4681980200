/** What the rooms need of a logger; pino satisfies it. */
export interface Logger {
  debug(obj: object, msg?: string): void;
  info(obj: object, msg?: string): void;
  warn(obj: object, msg?: string): void;
  error(obj: object, msg?: string): void;
}
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** What of the log goes out. */
export interface LogLevels {
  info: boolean;
  warn: boolean;
  error: boolean;
  /** Above 0: debug lines too. */
  verbose: number;
  /** Times as ISO 8601 instead of milliseconds since the epoch. */
  iso: boolean;
}

/** Changes the log while the server runs. */
export interface LogControl {
  readonly levels: Readonly<LogLevels>;
  set(levels: Partial<LogLevels>): Promise<void>;
}
