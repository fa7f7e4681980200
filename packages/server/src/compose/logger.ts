import type { Config } from '../config/index.ts';
import { type Logger, silentLogger } from '../kernel/index.ts';

/** JSON lines on standard error. What a person reads at a start is the command line's to say, not the log's. */
export async function createLogger(level: Config['logLevel']): Promise<Logger> {
  if (level === 'silent') return silentLogger;
  const { default: pino, destination } = await import('pino');
  const logger: Logger = pino(
    { level, base: null, redact: ['token', '*.token', 'headers.authorization', '*.headers.authorization', '*.headers.cookie'] },
    destination({ dest: 2, sync: true }),
  );
  return logger;
}
