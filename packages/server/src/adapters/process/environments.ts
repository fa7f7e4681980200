import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OnLine, Software } from '../../compute/index.ts';
import { unavailable, unsupported } from '../../kernel/index.ts';
import { cleanEnvironment } from './environment-variables.ts';
import { askPython, findPython, which } from './interpreter.ts';
import { runProgram } from './run-program.ts';

export interface EnvironmentsOptions {
  /** Folder that holds them, one a set of requirements. */
  root: string;
  /** An interpreter that already has what the models need: nothing is built. */
  interpreter?: string | undefined;
  /** Variables of ours that pip or uv may see, such as PIP_INDEX_URL. */
  passEnv?: readonly string[];
}

export interface Environments {
  /** What it builds with. Throws `unavailable` when there is no Python. */
  describe(): Promise<string>;
  /** Python of an environment with this software, built when there is none. Throws `unavailable` with the end of what pip said. */
  pythonOf(software: Software, onLine: OnLine): Promise<string>;
  /** Ends what is being built. */
  close(): Promise<void>;
}

/** Written last: an environment without it was not finished, and is built anew. */
const STAMP = '.ready';

/**
 * Python environments, one a digest of requirements and Python version, shared by every model that needs the same. The data directory has one owner, so
 * building once means once in this process.
 */
export function createEnvironments(options: EnvironmentsOptions): Environments {
  const { root, passEnv = [] } = options;
  const building = new Map<string, Promise<string>>();
  const closing = new AbortController();
  let checked: Promise<string> | undefined;

  async function configured(file: string): Promise<string> {
    if ((await askPython(file)) === undefined)
      throw unavailable(
        'python_missing',
        `The interpreter '${file}' (pythonInterpreter) does not start. Name a Python 3 that has mlflow and what the models need.`,
      );
    return file;
  }

  async function pythonOf(software: Software, onLine: OnLine): Promise<string> {
    if (software.kind === 'image')
      throw unsupported(
        'needs_container',
        `It asks for the image '${software.image}', which only a container can run: start the server with --python container.`,
      );
    if (options.interpreter !== undefined) {
      checked ??= configured(options.interpreter).catch((error: unknown) => {
        checked = undefined;
        throw error;
      });
      return checked;
    }
    const digest = createHash('sha256')
      .update(JSON.stringify([software.python, software.requirements, software.constraints]))
      .digest('hex')
      .slice(0, 32);
    let made = building.get(digest);
    if (made === undefined) {
      made = build(join(root, digest), software, onLine).finally(() => building.delete(digest));
      building.set(digest, made);
    }
    return made;
  }

  async function build(dir: string, { python, requirements, constraints }: Extract<Software, { kind: 'python' }>, onLine: OnLine): Promise<string> {
    const executable = join(dir, 'bin', 'python');
    const stamp = join(dir, STAMP);
    if (existsSync(stamp) && existsSync(executable)) {
      // Shows which are still used, for whoever cleans up.
      await utimes(stamp, new Date(), new Date()).catch(() => {});
      return executable;
    }
    const uv = which('uv');
    const base = await findPython(python);
    if (uv === undefined && 'found' in base)
      throw unavailable(
        'python_missing',
        `It needs Python ${python ?? '3'}, and this machine has ${base.found.length === 0 ? 'none' : base.found.join(', ')}. Install it, or uv (which brings it along), or serve in containers (--python container).`,
      );
    await rm(dir, { recursive: true, force: true });
    const home = join(root, '.build');
    await mkdir(join(home, 'tmp'), { recursive: true, mode: 0o700 });
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const list = join(dir, 'requirements.txt');
    await writeFile(list, requirements);
    if (constraints !== null) await writeFile(join(dir, 'constraints.txt'), constraints);
    const said: string[] = [];
    const step = async (program: string, argv: string[]): Promise<void> => {
      onLine(`${program} ${argv.join(' ')}`, 'binnacle');
      const code = await runProgram(program, argv, {
        cwd: dir,
        env: cleanEnvironment(home, dirname(program), passEnv),
        signal: closing.signal,
        onLine: (text, source) => {
          if (text.trim() !== '') said.push(text);
          if (said.length > 8) said.shift();
          onLine(text, source);
        },
      });
      if (code === 0) return;
      await rm(dir, { recursive: true, force: true });
      throw unavailable(
        'environment_failed',
        `Its Python environment could not be built: ${program} ${argv.slice(0, 3).join(' ')} … ${typeof code === 'number' ? `ended with exit code ${code}` : code}.${said.length === 0 ? '' : ` Its last lines:\n${said.join('\n')}`}`,
      );
    };
    if (uv !== undefined) {
      await step(uv, ['venv', '--python', 'executable' in base ? base.executable : (python ?? '3'), '--allow-existing', dir]);
      await step(uv, ['pip', 'install', '--python', executable, '-r', list]);
    } else if ('executable' in base) {
      await step(base.executable, ['-m', 'venv', dir]);
      await step(executable, ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '-r', list]);
    }
    await writeFile(stamp, requirements);
    return executable;
  }

  async function describe(): Promise<string> {
    if (options.interpreter !== undefined) return `with ${await configured(options.interpreter)}`;
    const uv = which('uv');
    const base = await findPython(null);
    if (uv !== undefined) return `environments built by ${uv}`;
    if ('executable' in base) return `environments built by ${base.executable} (${base.version})`;
    throw unavailable('python_missing', 'There is no Python 3 and no uv on this machine. Install one of them, or serve Python models in containers.');
  }

  return {
    describe,
    pythonOf,
    async close() {
      closing.abort();
      await Promise.allSettled(building.values());
    },
  };
}
