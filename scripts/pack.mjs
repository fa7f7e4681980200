// npm's prepack and postpack of the server: the tarball carries built JavaScript only, with the contract, the SDK, the web interface and the
// demo's recorded runs inside. The copies under packages/server/node_modules exist only while npm packs, because they would
// shadow the workspace's own sources.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const server = join(root, 'packages/server');
const bundled = ['contract', 'sdk'];
const manifestFile = join(server, 'package.json');
const keptManifest = join(server, 'node_modules/.package.json.kept');
const inside = (name) => join(server, 'node_modules/@binnacle', name);

function prepare() {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/bootstrap.mjs'), 'build'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
  // Said here and not in the source: npm cannot install a workspace that bundles its siblings.
  mkdirSync(join(server, 'node_modules'), { recursive: true });
  if (!existsSync(keptManifest)) cpSync(manifestFile, keptManifest);
  const own = JSON.parse(readFileSync(manifestFile, 'utf8'));
  writeFileSync(manifestFile, `${JSON.stringify({ ...own, bundleDependencies: bundled.map((name) => `@binnacle/${name}`) }, null, 2)}\n`);
  for (const name of bundled) {
    const from = join(root, 'packages', name);
    mkdirSync(inside(name), { recursive: true });
    cpSync(join(from, 'package.json'), join(inside(name), 'package.json'));
    cpSync(join(from, 'dist'), join(inside(name), 'dist'), { recursive: true });
  }
  cpSync(join(root, 'packages/web/dist'), join(server, 'dist/web'), { recursive: true });
  cpSync(join(root, 'examples/flight-delays/recorded'), join(server, 'dist/recorded'), { recursive: true });
  cpSync(join(root, 'README.md'), join(server, 'README.md'));
}

function clean() {
  if (existsSync(keptManifest)) renameSync(keptManifest, manifestFile);
  for (const name of bundled) rmSync(inside(name), { recursive: true, force: true });
  for (const copy of ['dist/web', 'dist/recorded', 'README.md']) rmSync(join(server, copy), { recursive: true, force: true });
  if (existsSync(join(server, 'node_modules/@binnacle'))) rmSync(join(server, 'node_modules/@binnacle'), { recursive: true });
}

const step = { prepare, clean }[process.argv[2]];
if (step === undefined) {
  process.stderr.write('usage: pack.mjs prepare | clean\n');
  process.exit(2);
}
step();
