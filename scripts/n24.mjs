// Runs a tool of node_modules/.bin under the project's own Node 24, whatever Node started this script.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const node24 = () => {
  const own = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(own) ? own : process.execPath;
};

/** The JavaScript file behind a package's bin entry. */
export function binOf(tool) {
  const manifest = JSON.parse(readFileSync(join(root, 'node_modules', tool, 'package.json'), 'utf8'));
  const bin = typeof manifest.bin === 'string' ? manifest.bin : (manifest.bin[tool] ?? Object.values(manifest.bin)[0]);
  return join(root, 'node_modules', tool, bin);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [tool, ...args] = process.argv.slice(2);
  const { status } = spawnSync(node24(), ['--disable-warning=ExperimentalWarning', binOf(tool), ...args], { stdio: 'inherit', cwd: root });
  process.exit(status ?? 1);
}
