// Installs what the tests with real servers and clients need: Debian packages (as root, where apt-get is there) and Python environments in
// .cache; with --bench also what the benchmarks measure against. Run again, it does only what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const say = (text) => process.stderr.write(`${text}\n`);
const run = (program, argv) => spawnSync(program, argv, { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0;
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

const debian = [
  ['chromium', 'chromium'],
  ['wrk', 'wrk'],
  ['/usr/sbin/dockerd', 'docker.io'],
  ['mvn', 'maven', 'default-jdk-headless'],
  ['Rscript', 'r-base-core', 'r-cran-httr'],
  ['/usr/lib/postgresql/*/bin/postgres', 'postgresql'],
  ['/usr/sbin/mariadbd', 'mariadb-server'],
  ...(process.argv.includes('--bench') ? [['h2load', 'nghttp2-client']] : []),
]
  .filter(([program]) => !has(program))
  .flatMap(([, ...names]) => names);
if (debian.length > 0) {
  if (!has('apt-get') || process.getuid?.() !== 0) {
    say(`missing: ${debian.join(', ')}. Install them with your package manager.`);
    process.exit(1);
  }
  say(`installing ${debian.join(', ')} …`);
  // The tests start database servers of their own: the packages must start none (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt).
  const policy = '/usr/sbin/policy-rc.d';
  const unset = !existsSync(policy);
  if (unset) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const installed = run('apt-get', ['update', '-qq']) && run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...debian, 'fonts-dejavu-core']);
  if (unset) rmSync(policy);
  if (!installed) process.exit(1);
}

// Asked to run, not only looked for: a version manager's shim is found for versions that it cannot start.
const findPython = () =>
  ['python3.12', 'python3.11', 'python3', '/usr/bin/python3'].find(
    (name) => spawnSync(name, ['-c', 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'], { stdio: 'ignore' }).status === 0,
  );

/**
 * A Python environment of its own in .cache: what asks for other versions of the same packages cannot share one. Lines under `# --no-deps` are
 * installed without what they depend on.
 */
function environment(name, file) {
  const venv = join(root, '.cache', name);
  const wanted = readFileSync(join(root, 'scripts', file), 'utf8');
  const stamp = join(venv, '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say(`installing ${file} …`);
  const python = findPython();
  if (python === undefined) {
    say('Python 3.11 to 3.13 is needed for the tests with real clients.');
    process.exit(1);
  }
  if (!existsSync(join(venv, 'bin/python')) && !run(python, ['-m', 'venv', venv])) {
    if (!(has('apt-get') && run('apt-get', ['install', '-y', '-qq', 'python3-venv']) && run(python, ['-m', 'venv', venv]))) process.exit(1);
  }
  const pip = (...argv) => run(join(venv, 'bin/python'), ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...argv]);
  const [, bare] = wanted.split('# --no-deps\n');
  const names = bare?.split('\n').filter((line) => line !== '' && !line.startsWith('#')) ?? [];
  if (bare === undefined) {
    if (!pip('-r', join(root, 'scripts', file))) process.exit(1);
  } else {
    const full = wanted
      .slice(0, wanted.indexOf('# --no-deps\n'))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    if (!pip(...full) || !pip('--no-deps', ...names)) process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

environment('venv', 'requirements-real.txt');
environment('venv-tf', 'requirements-tf.txt');
environment('venv-mlserver', 'requirements-mlserver.txt');
environment('venv-triton', 'requirements-triton.txt');
// What only the benchmarks measure against.
if (process.argv.includes('--bench')) environment('venv-bench', 'requirements-bench.txt');
