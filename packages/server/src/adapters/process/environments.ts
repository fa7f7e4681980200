import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readlink, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { OnLine, Software } from '../../compute/index.ts';
import { newId, SharedWork, unavailable, unsupported } from '../../kernel/index.ts';
import { cleanEnvironment } from './environment-variables.ts';
import { endProcessesOf, MARK, processesOf, signalAll } from './group.ts';
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
  /**
   * Python of an environment with this software, built when there is none. Throws `unavailable` with the end of what pip said. Once `signal` is
   * aborted and nobody else waits for it, the build is ended and what it made removed.
   */
  pythonOf(software: Software, onLine: OnLine, signal?: AbortSignal): Promise<string>;
  /** Ends builds that an earlier process of ours left behind when it was killed, and removes what they made; how many still ran. */
  sweep(): Promise<number>;
  /** Ends what is being built. */
  close(): Promise<void>;
}

type PythonSoftware = Extract<Software, { kind: 'python' }>;

/** Written last: an environment without it was not finished, and is built anew. */
const STAMP = '.ready';
/** Where one is built and stays, `<digest>.<id of the build>`; `<digest>` becomes a link to it: a moved environment's scripts would name a Python that is gone. */
const BUILT = /^([0-9a-f]{32})\.([0-9a-f]{32})$/;

/**
 * Python environments, one a digest of requirements and Python version, shared by every model that needs the same. The data directory has one owner, so
 * building once means once in this process.
 */
export function createEnvironments(options: EnvironmentsOptions): Environments {
  const { root, passEnv = [] } = options;
  const building = new SharedWork<string>();
  const folders = new Set<string>();
  let checked: Promise<string> | undefined;

  async function configured(file: string): Promise<string> {
    if ((await askPython(file)) === undefined)
      throw unavailable(
        'python_missing',
        `The interpreter '${file}' (pythonInterpreter) does not start. Name a Python 3 that has mlflow and what the models need.`,
      );
    return file;
  }

  async function pythonOf(software: Software, onLine: OnLine, signal?: AbortSignal): Promise<string> {
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
    return building.run(digest, (nobody) => build(join(root, digest), software, onLine, nobody), signal);
  }

  async function build(link: string, software: PythonSoftware, onLine: OnLine, signal: AbortSignal): Promise<string> {
    const executable = join(link, 'bin', 'python');
    const stamp = join(link, STAMP);
    if (existsSync(stamp) && existsSync(executable)) {
      // Shows which are still used, for whoever cleans up.
      await utimes(stamp, new Date(), new Date()).catch(() => {});
      return executable;
    }
    const id = newId();
    const dir = `${link}.${id}`;
    folders.add(basename(dir));
    try {
      await buildIn(dir, id, software, onLine, signal);
      await symlink(basename(dir), `${dir}.link`);
      // A folder is from before there were links, and unfinished.
      await rm(link, { recursive: true, force: true });
      await rename(`${dir}.link`, link);
    } catch (error) {
      await rm(dir, { recursive: true, force: true });
      throw error;
    } finally {
      folders.delete(basename(dir));
    }
    return executable;
  }

  /** All that it starts carries the build's mark, by which a next start finds what a killed one left running. */
  async function buildIn(dir: string, id: string, { python, requirements, constraints }: PythonSoftware, onLine: OnLine, signal: AbortSignal): Promise<void> {
    const executable = join(dir, 'bin', 'python');
    const uv = which('uv');
    const base = await findPython(python);
    if (uv === undefined && 'found' in base)
      throw unavailable(
        'python_missing',
        `It needs Python ${python ?? '3'}, and this machine has ${base.found.length === 0 ? 'none' : base.found.join(', ')}. Install it, or uv (which brings it along), or serve in containers (--python container).`,
      );
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
        env: { ...cleanEnvironment(home, dirname(program), passEnv), [MARK]: id },
        signal,
        onLine: (text, source) => {
          if (text.trim() !== '') said.push(text);
          if (said.length > 8) said.shift();
          onLine(text, source);
        },
      });
      // A package's own setup code may have left something running.
      signalAll(await processesOf(id), 'SIGKILL');
      if (code === 0) return;
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
    await writeFile(join(dir, STAMP), requirements);
  }

  async function describe(): Promise<string> {
    if (options.interpreter !== undefined) return `with ${await configured(options.interpreter)}`;
    const uv = which('uv');
    const base = await findPython(null);
    if (uv !== undefined) return `environments built by ${uv}`;
    if ('executable' in base) return `environments built by ${base.executable} (${base.version})`;
    throw unavailable('python_missing', 'There is no Python 3 and no uv on this machine. Install one of them, or serve Python models in containers.');
  }

  async function sweep(): Promise<number> {
    const names = await readdir(root).catch(() => []);
    const ended = await Promise.all(
      names.map(async (name) => {
        const [, digest, id] = BUILT.exec(name) ?? [];
        if (digest === undefined || id === undefined || folders.has(name)) return 0;
        if ((await readlink(join(root, digest)).catch(() => undefined)) === name) return 0;
        const count = await endProcessesOf(id);
        await rm(join(root, name), { recursive: true, force: true }).catch(() => {});
        return count;
      }),
    );
    return ended.filter((count) => count > 0).length;
  }

  return {
    describe,
    pythonOf,
    sweep,
    close: () => building.close(),
  };
}
