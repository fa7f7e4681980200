// What `npm run demo`, `npm test` and the others start: brings a fresh clone to where the command can run, then runs it under the
// project's own Node 24. Plain JavaScript without dependencies, for any Node from 18 on: nothing is installed yet when it starts.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf, node24 } from './n24.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(root, '.cache');
const [command, ...args] = process.argv.slice(2);
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_onnxruntime_node_install: 'skip' };
const say = (text) => process.stderr.write(`${text}\n`);

/** Runs a program to its end; its failure is ours. */
function must(program, argv, options = {}) {
  const { status, error } = spawnSync(program, argv, { stdio: ['inherit', 2, 2], cwd: root, env, ...options });
  if (error) say(String(error));
  if (status !== 0) process.exit(status ?? 1);
}
const tool = (name, argv, options) => must(node24(), ['--disable-warning=ExperimentalWarning', binOf(name), ...argv], options);

function install() {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = join(cache, 'installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && existsSync(join(root, 'node_modules'))) return;
  say('installing dependencies (once) …');
  const npm = process.env.npm_execpath;
  // Not `ci`: it refuses a lock file that a registry without the other platforms' binaries has made. --no-save keeps to the lock file and leaves it alone.
  const quiet = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm) must(process.execPath, [npm, ...quiet]);
  else must(process.platform === 'win32' ? 'npm.cmd' : 'npm', quiet, { shell: process.platform === 'win32' });
  mkdirSync(cache, { recursive: true });
  writeFileSync(stamp, lock);
}

/** The newest change below some folders, to see whether a build is stale. */
function newest(...dirs) {
  let latest = 0;
  const visit = (path) => {
    const info = statSync(path);
    if (!info.isDirectory()) latest = Math.max(latest, info.mtimeMs);
    else for (const name of readdirSync(path)) if (name !== 'node_modules' && name !== 'dist') visit(join(path, name));
  };
  for (const dir of dirs) visit(join(root, dir));
  return latest;
}

function stale(stampName, ...sources) {
  const stamp = join(cache, stampName);
  return { stamp, is: !existsSync(stamp) || statSync(stamp).mtimeMs < newest(...sources) };
}

function buildServer() {
  const { stamp, is } = stale(
    'server-built',
    'packages/contract/src',
    'packages/sdk/src',
    'packages/server/src',
    'packages/server/package.json',
    'tsconfig.base.json',
  );
  if (!is && existsSync(join(root, 'packages/server/dist/main.js'))) return;
  say('building the server …');
  tool('@typescript/native', ['-b', 'packages/contract', 'packages/sdk', 'packages/server']);
  writeFileSync(stamp, '');
}

function buildWeb() {
  const { stamp, is } = stale(
    'web-built',
    'packages/web/src',
    'packages/web/index.html',
    'packages/web/vite.config.ts',
    'packages/web/package.json',
    'packages/contract/src',
    'packages/sdk/src',
  );
  if (!is && existsSync(join(root, 'packages/web/dist/index.html'))) return;
  say('building the web interface …');
  tool('vite', ['build', '--logLevel', 'warn'], { cwd: join(root, 'packages/web') });
  writeFileSync(stamp, '');
}

/** Hands over to a long-running program: signals reach it, its exit code is ours. */
function become(argv, extraEnv = {}) {
  const child = spawn(node24(), ['--disable-warning=ExperimentalWarning', ...argv], {
    stdio: 'inherit',
    cwd: process.env.INIT_CWD ?? root,
    env: { ...env, ...extraEnv },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

const main = join(root, 'packages/server/dist/main.js');
const commands = {
  build() {
    buildServer();
    buildWeb();
  },
  start() {
    commands.build();
    become([main, 'up', ...args]);
  },
  binnacle() {
    commands.build();
    become([main, ...args]);
  },
  demo() {
    commands.build();
    become([main, 'demo', ...(args.includes('--data') ? [] : ['--data', join(root, '.binnacle-demo')]), ...args], { INIT_CWD: root });
  },
  test() {
    commands.build();
    become([binOf('vitest'), 'run', '--root', root, ...args]);
  },
  'test:real'() {
    commands.build();
    must(process.execPath, [join(root, 'scripts/real-setup.mjs')]);
    become([binOf('vitest'), 'run', '--root', root, '--config', join(root, 'vitest.real.config.ts'), ...args]);
  },
  bench() {
    commands.build();
    must(process.execPath, [join(root, 'scripts/real-setup.mjs'), '--bench']);
    become([join(root, 'bench/run.ts'), ...args]);
  },
  check() {
    commands.build();
    become([join(root, 'scripts/check.mjs'), ...args]);
  },
  install() {},
};

if (!(command in commands)) {
  say(`usage: bootstrap.mjs ${Object.keys(commands).join(' | ')}`);
  process.exit(2);
}
install();
commands[command]();
