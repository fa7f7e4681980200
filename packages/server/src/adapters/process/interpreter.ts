import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first `name` in our PATH. */
export function which(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not there: the next.
    }
  }
  return undefined;
}

/** Version (3.11) and executable of a Python; undefined when it does not start. Asked, not only looked for: shims start nothing now and then. */
export async function askPython(file: string): Promise<{ version: string; executable: string } | undefined> {
  try {
    const { stdout } = await run(file, ['-I', '-c', 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)'], { timeout: 30_000 });
    const [version = '', executable = ''] = stdout.trim().split('\n');
    return /^\d+\.\d+$/.test(version) && executable !== '' ? { version, executable } : undefined;
  } catch {
    return undefined;
  }
}

/** An interpreter of the wanted version (null: any 3), with those that were found instead. */
export async function findPython(wanted: string | null): Promise<{ executable: string; version: string } | { found: string[] }> {
  const found: string[] = [];
  for (const name of [
    ...(wanted === null ? [] : [`python${wanted}`]),
    'python3',
    'python',
    ...['14', '13', '12', '11', '10'].map((minor) => `python3.${minor}`),
  ]) {
    const file = which(name);
    const answer = file === undefined ? undefined : await askPython(file);
    if (answer === undefined) continue;
    if (answer.version === wanted || (wanted === null && answer.version.startsWith('3.'))) return answer;
    if (!found.includes(answer.version)) found.push(answer.version);
  }
  return { found };
}
