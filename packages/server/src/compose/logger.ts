import type { Config } from '../config/index.ts';
import type { LogControl, Logger, LogLevels } from '../kernel/index.ts';

type Write = (obj: object, msg?: string) => void;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const nothing: Write = () => {};

/**
 * JSON lines on standard error, and the switch by which a running server logs more or less. What a person reads at a start is the command
 * line's to say, not the log's.
 */
export async function createLogger(level: Config['logLevel']): Promise<{ logger: Logger; control: LogControl }> {
  const from = level === 'silent' ? LEVELS.length : LEVELS.indexOf(level);
  let levels: LogLevels = { info: from <= 1, warn: from <= 2, error: from <= 3, verbose: from <= 0 ? 1 : 0, iso: false };
  let lines: Logger | undefined;
  const logger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

  async function apply(): Promise<void> {
    const on = { debug: levels.verbose > 0, info: levels.info, warn: levels.warn, error: levels.error };
    // A server that is to be silent does not even load what writes.
    if (LEVELS.some((name) => on[name])) lines ??= await open(() => levels.iso);
    for (const name of LEVELS) logger[name] = on[name] && lines !== undefined ? lines[name].bind(lines) : nothing;
  }
  await apply();
  return {
    logger,
    control: {
      get levels() {
        return levels;
      },
      async set(change) {
        levels = { ...levels, ...change };
        await apply();
      },
    },
  };
}

async function open(iso: () => boolean): Promise<Logger> {
  const { default: pino, destination } = await import('pino');
  const lines: Logger = pino(
    {
      level: 'debug',
      base: null,
      redact: ['token', '*.token', 'headers.authorization', '*.headers.authorization', '*.headers.cookie'],
      timestamp: () => (iso() ? `,"time":"${new Date().toISOString()}"` : `,"time":${Date.now()}`),
    },
    destination({ dest: 2, sync: true }),
  );
  return lines;
}
