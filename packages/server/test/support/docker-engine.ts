import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why containers cannot be tested here; undefined where they can. */
export const noDocker: string | undefined =
  process.getuid?.() !== 0
    ? 'dockerd needs root'
    : spawnSync('sh', ['-c', 'command -v dockerd']).status !== 0
      ? 'dockerd is not installed (npm run real-setup)'
      : undefined;

export interface DockerEngine {
  /** As DOCKER_HOST. */
  url: string;
  docker(...argv: string[]): Promise<string>;
  close(): Promise<void>;
}

/** A Docker of the test's own: no bridge and no iptables, so that it runs where nothing may be changed. Undefined where it does not start. */
export async function startDocker(): Promise<DockerEngine | undefined> {
  for (const driver of ['overlay2', 'vfs']) {
    const dir = mkdtempSync(join(tmpdir(), 'binnacle-docker-'));
    const url = `unix://${dir}/docker.sock`;
    const daemon = spawn(
      'dockerd',
      [
        '--iptables=false',
        '--bridge=none',
        `--storage-driver=${driver}`,
        '--host',
        url,
        `--data-root=${dir}/data`,
        `--exec-root=${dir}/exec`,
        `--pidfile=${dir}/pid`,
      ],
      { stdio: 'ignore' },
    );
    const gone = new AbortController();
    const exit = new Promise<void>((resolve) => {
      daemon.once('exit', () => resolve());
      daemon.once('error', () => resolve());
    }).then(() => gone.abort());
    const docker = async (...argv: string[]) => (await run('docker', ['-H', url, ...argv], { maxBuffer: 64 * 1024 * 1024 })).stdout;
    const close = async () => {
      daemon.kill('SIGTERM');
      await exit;
      // What it leaves mounted (its own namespaces, containers of a test that failed) would keep the folder.
      for (const line of readFileSync('/proc/mounts', 'utf8').split('\n').reverse()) {
        const at = line.split(' ')[1] ?? '';
        if (at.startsWith(`${dir}/`)) spawnSync('umount', ['-l', at]);
      }
      rmSync(dir, { recursive: true, force: true });
    };
    for (const until = Date.now() + 60_000; !gone.signal.aborted && Date.now() < until; ) {
      const up = await docker('version').then(
        () => true,
        () => false,
      );
      if (up) return { url, docker, close };
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await close();
  }
  return undefined;
}

/** What a scoring server has no use for, so that the image stays small. */
const LEFT_OUT =
  'sympy onnxruntime moto cuda cfnlint botocore onnx fontTools xgboost networkx lightgbm ml_dtypes matplotlib grpc databricks-bundles tritonclient gevent perf_analyzer'.split(
    ' ',
  );
const LIBRARIES = 'c m dl pthread util rt z ssl crypto ffi lzma bz2 sqlite3 uuid expat gcc_s stdc++ tinfo readline resolv crypt nss_files'.split(' ');

/** This machine's own Python with the packages of `venv`, as an image: no registry can be reached. */
export async function importPythonImage(engine: DockerEngine, venv: string, image: string): Promise<void> {
  const prefix = (await run(join(venv, 'bin/python'), ['-c', 'import sys; print(sys.base_prefix)'])).stdout.trim();
  const version = (await run(join(venv, 'bin/python'), ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])).stdout.trim();
  const root = mkdtempSync(join(tmpdir(), 'binnacle-image-'));
  const lib = `usr/local/lib/python${version}`;
  try {
    for (const dir of ['usr/local/bin', `${lib}/site-packages`, 'bin', 'etc', 'tmp', 'run', 'usr/lib/x86_64-linux-gnu', 'lib64', 'model', 'proc', 'dev', 'sys'])
      mkdirSync(join(root, dir), { recursive: true });
    symlinkSync('usr/lib', join(root, 'lib'));
    const shell = (script: string) => run('sh', ['-ec', script], { env: { PATH: process.env.PATH, root, prefix, venv, lib } });
    await shell(`tar -C "$prefix/lib/python${version}" --exclude=./test --exclude=./site-packages --exclude=./idlelib -cf - . | tar -C "$root/$lib" -xf -`);
    const excludes = LEFT_OUT.map((name) => `--exclude=./${name}`).join(' ');
    await shell(
      `tar -C "$venv/lib/python${version}/site-packages" ${excludes} --exclude=tests --exclude=./mlflow/server/js -cf - . | tar -C "$root/$lib/site-packages" -xf -`,
    );
    await shell(
      `cp -L "$prefix/bin/python${version}" "$root/usr/local/bin/"; cp -a "$prefix"/lib/libpython* "$root/usr/local/lib/"; cp -L /bin/sh /bin/bash "$root/bin/"; cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"`,
    );
    await shell(LIBRARIES.map((name) => `cp -L /lib/x86_64-linux-gnu/lib${name}.so.[0-9]* "$root/usr/lib/x86_64-linux-gnu/" 2>/dev/null || true`).join('; '));
    for (const name of ['python', 'python3']) symlinkSync(`python${version}`, join(root, 'usr/local/bin', name));
    writeFileSync(join(root, 'usr/local/bin/uvicorn'), '#!/bin/sh\nexec python -m uvicorn "$@"\n', { mode: 0o755 });
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n');
    await shell(
      `tar -C "$root" -cf - . | docker -H ${engine.url} import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin LD_LIBRARY_PATH=/usr/local/lib' - ${image}`,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The Python environment that scripts/real-setup.mjs made. */
export const VENV = new URL('../../../../.cache/venv', import.meta.url).pathname;
export const hasVenv = existsSync(join(VENV, 'bin/python'));
