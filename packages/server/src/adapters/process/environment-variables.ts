import { delimiter, join } from 'node:path';

/** Nothing of ours is handed on: a fixed PATH, a language, a home of its own, and what the user named. */
export function cleanEnvironment(home: string, bin: string | undefined, passed: readonly string[]): Record<string, string> {
  const path = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
  const named = passed.flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    PATH: (bin === undefined ? path : [bin, ...path]).join(delimiter),
    LANG: 'C.UTF-8',
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    PYTHONUNBUFFERED: '1',
    PYTHONNOUSERSITE: '1',
    ...Object.fromEntries(named),
  };
}
