import { readFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { siblingModule } from '../../../kernel/index.ts';
import { launch, type Program } from '../../../launcher/index.ts';

/**
 * Where util-linux has it, the kernel ends the process with the server, also when that is killed in the middle of a run; elsewhere the process ends
 * when it next reads from the server.
 */
const WITH_PARENT = 'if setpriv --pdeathsig KILL true 2>/dev/null; then exec setpriv --pdeathsig KILL "$@"; fi; exec "$@"';

/** What the runtime and its providers read; nothing else of our environment, in which there may be secrets (NVIDIA_API_KEY, say). */
const KEPT =
  /^(PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?(LIBRARY|FRAMEWORK)_PATH|SystemRoot|windir|CUDA_(PATH|HOME|VISIBLE_DEVICES|DEVICE_ORDER|CACHE_(PATH|DISABLE|MAXSIZE)|MODULE_LOADING|LAUNCH_BLOCKING|DEVICE_MAX_CONNECTIONS|MPS_PIPE_DIRECTORY|MPS_LOG_DIRECTORY|MPS_ACTIVE_THREAD_PERCENTAGE)|NVIDIA_(VISIBLE_DEVICES|DRIVER_CAPABILITIES|TF32_OVERRIDE)|ORT_.*|OMP_.*|VK_(ICD_FILENAMES|DRIVER_FILES|LAYER_PATH))$/i;

/** Those variables that a model's process has, too. */
export const keptEnvironment = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && KEPT.test(entry[0])));

/** A Node process that has ONNX Runtime and nothing else; its file descriptor 3 is the socket. */
export function launchModelProcess(): Promise<Program> {
  const argv = [process.execPath, '--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', fileURLToPath(siblingModule('./child', import.meta.url))];
  const environment = keptEnvironment(process.env);
  const cache = getCompileCacheDir();
  if (cache !== undefined) environment['NODE_COMPILE_CACHE'] = dirname(cache);
  const [program, ...rest] = process.platform === 'linux' ? ['/bin/sh', '-c', WITH_PARENT, 'sh', ...argv] : argv;
  return launch(program as string, rest, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], env: { ...environment, MALLOC_ARENA_MAX: '2' } });
}

/** Resident bytes of a process; undefined where the system does not tell it in passing. */
export function residentBytes(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux' || pid === undefined) return undefined;
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  } catch {
    return undefined;
  }
}
