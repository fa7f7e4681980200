import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const module = fileURLToPath(new URL('../../src/compose/logger.ts', import.meta.url));

/** What a process of its own writes to standard error. */
function lines(code: string): { level: number; time: unknown; msg: string }[] {
  const text = `import { createLogger } from ${JSON.stringify(module)}; ${code}`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' });
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

it('the log says more or less while it runs', () => {
  const seen = lines(`
    const { logger, control } = await createLogger('warn');
    logger.info({}, 'not yet'); logger.warn({}, 'first');
    await control.set({ info: true, warn: false, verbose: 1, iso: true });
    logger.debug({}, 'debug'); logger.info({}, 'info'); logger.warn({}, 'not any more'); logger.error({ token: 'hunter2' }, 'error');
  `);
  expect(seen.map(({ msg }) => msg)).toEqual(['first', 'debug', 'info', 'error']);
  expect(seen.map(({ time }) => typeof time)).toEqual(['number', 'string', 'string', 'string']);
  expect(JSON.stringify(seen)).not.toContain('hunter2');
});

it('a silent one may be made to speak', () => {
  const seen = lines(`
    const { logger, control } = await createLogger('silent');
    logger.error({}, 'nothing');
    await control.set({ error: true });
    logger.error({}, 'now'); logger.info({}, 'nothing');
  `);
  expect(seen.map(({ msg }) => msg)).toEqual(['now']);
});
