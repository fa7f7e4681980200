// Builds packages/server/wasm/float-text (AssemblyScript) into a TypeScript file of the server, so that neither a build nor an installation needs the
// compiler. `--print` writes that file's text to stdout instead: float-text-module.test.ts holds the two together.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf, node24 } from './n24.mjs';

const server = join(dirname(fileURLToPath(import.meta.url)), '../packages/server');
const WIDTH = 152;

function compiled() {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-float-text-'));
  try {
    const file = join(folder, 'out.wasm');
    const options = ['-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--use', 'abort=', '--initialMemory', '7', '--maximumMemory', '7'];
    const { status } = spawnSync(node24(), [binOf('assemblyscript'), 'index.ts', '--outFile', file, ...options], {
      cwd: join(server, 'wasm/float-text'),
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0) process.exit(status ?? 1);
    return readFileSync(file).toString('base64');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const lines = compiled().match(new RegExp(`.{1,${WIDTH}}`, 'g'));
const text = `/** packages/server/wasm/float-text, built by scripts/float-text.mjs. */
export const MODULE = [
${lines.map((line) => `  '${line}',\n`).join('')}].join('');
`;
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(server, 'src/serving/float-text/module.ts'), text);
