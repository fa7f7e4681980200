// `npm run check`: types, lint, walls, dead code, format. Every part runs, so that one run shows all there is to mend.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf, node24 } from './n24.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const run = (name, argv) =>
  spawnSync(node24(), ['--disable-warning=ExperimentalWarning', binOf(name), ...argv], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });

/**
 * The walls are worth nothing when the checker read nothing: a folder with fewer modules than this is a failure of its own. Raise a number
 * when the folder has grown far beyond it.
 */
const LEAST_MODULES = {
  'packages/contract/src/': 9,
  'packages/sdk/src/': 25,
  'packages/server/src/': 330,
  'packages/server/test/': 40,
  'packages/web/src/': 80,
};

const steps = {
  types: () => {
    const results = [
      ['-b', 'packages/contract', 'packages/sdk', 'packages/server', 'packages/web'],
      ['-p', 'tsconfig.tests.json', '--noEmit'],
    ].map((argv) => run('@typescript/native', argv));
    return { ok: results.every((r) => r.status === 0), text: results.map((r) => r.stdout + r.stderr).join('') };
  },
  lint: () => {
    const { status, stdout, stderr } = run('oxlint', ['--type-aware', '--deny-warnings', 'packages', 'scripts', 'bench', 'e2e']);
    return { ok: status === 0, text: stdout + stderr };
  },
  walls: () => {
    const { status, stdout, stderr } = run('dependency-cruiser', [
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
      ...Object.keys(LEAST_MODULES),
    ]);
    if (status !== 0 && stdout === '') return { ok: false, text: stderr };
    const { summary, modules } = JSON.parse(stdout);
    const lines = summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`);
    for (const [folder, least] of Object.entries(LEAST_MODULES)) {
      const read = modules.filter(({ source }) => source.startsWith(folder)).length;
      if (read < least) lines.push(`only ${read} modules of ${folder} were read, where at least ${least} are`);
    }
    return {
      ok: lines.length === 0,
      text: lines.join('\n'),
      note: `${summary.totalCruised} modules, ${summary.totalDependenciesCruised} dependencies`,
    };
  },
  'dead code': () => {
    const { status, stdout, stderr } = run('knip', []);
    return { ok: status === 0, text: stdout + stderr };
  },
  format: () => {
    const { status, stdout, stderr } = run('@biomejs/biome', ['format', '.']);
    return { ok: status === 0, text: stdout + stderr };
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  const { ok, text, note } = step();
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name}${note ? ` (${note})` : ''}`);
  if (!ok) {
    failed++;
    console.log(text.trim().split('\n').slice(0, 200).join('\n'));
  }
}
process.exitCode = failed === 0 ? 0 : 1;
