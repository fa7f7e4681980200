import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WALLS = join(ROOT, '.dependency-cruiser.cjs');
const SERVER = 'packages/server/src';

/** Each rule, a file that breaks it, and the one thing that this file imports. */
const BROKEN: [rule: string, file: string, imported: string][] = [
  ['contract-ours', 'packages/contract/src/a.ts', '@binnacle/sdk'],
  ['contract-npm', 'packages/contract/src/b.ts', 'fastify'],
  ['contract-core', 'packages/contract/src/c.ts', 'node:fs'],
  ['sdk-ours', 'packages/sdk/src/a.ts', 'binnacle'],
  ['sdk-npm', 'packages/sdk/src/b.ts', 'zod'],
  ['sdk-core', 'packages/sdk/src/c.ts', 'node:fs'],
  ['sdk-ours', 'packages/sdk/src/d.ts', './node/index.ts'],
  ['sdk-node-ours', 'packages/sdk/src/node/a.ts', 'binnacle'],
  ['sdk-node-npm', 'packages/sdk/src/node/b.ts', 'zod'],
  ['web-ours', 'packages/web/src/a.ts', 'binnacle'],
  ['web-ours', 'packages/web/src/e.ts', '@binnacle/sdk/node'],
  ['web-ours', 'packages/web/src/b.ts', '../../server/src/kernel/index.ts'],
  ['web-core', 'packages/web/src/c.ts', 'node:fs'],
  ['no-undeclared-dependencies', 'packages/web/src/d.ts', 'pino'],
  ['kernel-ours', `${SERVER}/kernel/a.ts`, '@binnacle/contract'],
  ['kernel-ours', `${SERVER}/kernel/b.ts`, '../tracking/index.ts'],
  ['kernel-npm', `${SERVER}/kernel/c.ts`, 'zod'],
  ['kernel-core', `${SERVER}/kernel/d.ts`, 'node:fs'],
  ['room-ours', `${SERVER}/tracking/a.ts`, '../serving/inner.ts'],
  ['room-ours', `${SERVER}/tracking/b.ts`, '../adapters/sql/index.ts'],
  ['room-ours', `${SERVER}/tracking/c.ts`, '../http/index.ts'],
  ['room-ours', `${SERVER}/tracking/d.ts`, '../shared/y.ts'],
  ['room-ours', `${SERVER}/tracking/e.ts`, '@binnacle/sdk'],
  ['room-ours', `${SERVER}/tracking/f.ts`, '../serving/tensor.ts'],
  ['room-npm', `${SERVER}/tracking/g.ts`, 'fastify'],
  ['room-npm', `${SERVER}/tracking/h.ts`, 'pino'],
  ['room-core', `${SERVER}/tracking/i.ts`, 'node:http'],
  ['room-tests', `${SERVER}/tracking/j.test.ts`, '../serving/inner.ts'],
  ['config-ours', `${SERVER}/config/a.ts`, '../tracking/inner.ts'],
  ['config-npm', `${SERVER}/config/b.ts`, 'zod'],
  ['config-core', `${SERVER}/config/c.ts`, 'node:http'],
  ['http-ours', `${SERVER}/http/a.ts`, '../compose/tables.ts'],
  ['http-ours', `${SERVER}/http/b.ts`, '../cli/inner.ts'],
  ['http-ours', `${SERVER}/http/c.ts`, '../tracking/inner.ts'],
  ['http-npm', `${SERVER}/http/d.ts`, 'kysely'],
  ['protocol-ours', `${SERVER}/protocols/mlflow/a.ts`, '../../http/inner.ts'],
  ['protocol-ours', `${SERVER}/protocols/mlflow/e.ts`, '../../http/grpc/inner.ts'],
  ['protocol-ours', `${SERVER}/protocols/mlflow/b.ts`, '../open-inference/index.ts'],
  ['protocol-ours', `${SERVER}/protocols/mlflow/c.ts`, '../../cli/inner.ts'],
  ['protocol-npm', `${SERVER}/protocols/mlflow/d.ts`, 'pino'],
  ['cli-ours', `${SERVER}/cli/a.ts`, '../http/inner.ts'],
  ['cli-ours', `${SERVER}/cli/b.ts`, '../protocols/mlflow/inner.ts'],
  ['cli-ours', `${SERVER}/cli/c.ts`, '../adapters/sql/index.ts'],
  ['cli-npm', `${SERVER}/cli/d.ts`, 'fastify'],
  ['adapter-ours', `${SERVER}/adapters/sql/a.ts`, '../onnx/index.ts'],
  ['adapter-ours', `${SERVER}/adapters/sql/b.ts`, '../../tracking/inner.ts'],
  ['adapter-ours', `${SERVER}/adapters/sql/c.ts`, '../../compose.ts'],
  ['adapter-sql-npm', `${SERVER}/adapters/sql/d.ts`, 'onnxruntime-node'],
  ['adapter-onnx-npm', `${SERVER}/adapters/onnx/a.ts`, 'kysely'],
  ['adapter-duckdb-npm', `${SERVER}/adapters/duckdb/a.ts`, 'kysely'],
  ['adapter-s3-npm', `${SERVER}/adapters/s3/a.ts`, 'kysely'],
  ['adapter-triton-npm', `${SERVER}/adapters/triton/a.ts`, 'kysely'],
  ['adapter-tf-serving-npm', `${SERVER}/adapters/tf-serving/a.ts`, 'kysely'],
  ['adapter-lambda-npm', `${SERVER}/adapters/lambda/a.ts`, 'kysely'],
  ['remote-ours', `${SERVER}/remote/a.ts`, '../adapters/sql/index.ts'],
  ['remote-npm', `${SERVER}/remote/b.ts`, 'fastify'],
  ['launcher-ours', `${SERVER}/launcher/a.ts`, '../adapters/sql/index.ts'],
  ['launcher-npm', `${SERVER}/launcher/b.ts`, 'fastify'],
  ['adapter-other-npm', `${SERVER}/adapters/fs/a.ts`, 'kysely'],
  ['only-sql-opens-sqlite', `${SERVER}/adapters/fs/b.ts`, 'node:sqlite'],
  ['compose-ours', `${SERVER}/compose/a.ts`, '../tracking/inner.ts'],
  ['compose-ours', `${SERVER}/compose/b.ts`, '../adapters/sql/inner.ts'],
  ['compose-npm', `${SERVER}/compose/c.ts`, 'fastify'],
  ['known-places-from', `${SERVER}/compose-anything.ts`, './adapters/sql/index.ts'],
  ['known-places-from', `${SERVER}/shared/y.ts`, '../tracking/inner.ts'],
  ['known-places-to', `${SERVER}/compose/d.ts`, '../shared/y.ts'],
  ['no-cycles', `${SERVER}/tracking/k.ts`, './l.ts'],
  ['no-unresolvable', `${SERVER}/tracking/m.ts`, './nowhere.ts'],
  ['source-imports-no-test', `${SERVER}/tracking/n.ts`, './j.test.ts'],
  ['source-imports-no-test', `${SERVER}/tracking/o.ts`, '../../test/kit.ts'],
];

/** Files that stand as they should, with what they import. */
const SOUND: [file: string, ...imported: string[]][] = [
  ['packages/contract/src/index.ts', 'zod'],
  ['packages/sdk/src/index.ts', '@binnacle/contract'],
  ['packages/sdk/src/node/index.ts', '../index.ts', '@binnacle/contract', 'node:fs'],
  ['packages/web/src/index.ts', '@binnacle/contract', '@binnacle/sdk'],
  [`${SERVER}/main.ts`, './cli/index.ts', './compose.ts'],
  [`${SERVER}/version.ts`, 'node:module'],
  [`${SERVER}/compose.ts`, './compose/tables.ts', './adapters/sql/index.ts', './http/index.ts', './protocols/mlflow/index.ts', './version.ts'],
  [`${SERVER}/compose/tables.ts`, '../adapters/onnx/index.ts', 'pino'],
  [`${SERVER}/config/index.ts`, '../kernel/index.ts', 'node:fs'],
  [`${SERVER}/cli/index.ts`, '../compose.ts', '../compose/tables.ts', '../version.ts', '@binnacle/sdk', '@binnacle/sdk/node', 'node:net'],
  [`${SERVER}/cli/inner.ts`],
  [`${SERVER}/kernel/index.ts`, 'node:crypto'],
  [`${SERVER}/http/index.ts`, '../tracking/index.ts', './inner.ts', 'fastify', 'node:http'],
  [`${SERVER}/http/inner.ts`],
  [`${SERVER}/http/data-plane/index.ts`, 'node:http'],
  [`${SERVER}/http/grpc/index.ts`, './inner.ts'],
  [`${SERVER}/http/grpc/inner.ts`],
  [`${SERVER}/protocols/mlflow/index.ts`, '../../http/index.ts', '../../http/data-plane/index.ts', '../../http/grpc/index.ts', '../../tracking/index.ts'],
  [`${SERVER}/protocols/mlflow/inner.ts`],
  [`${SERVER}/protocols/open-inference/index.ts`],
  [`${SERVER}/tracking/index.ts`, './inner.ts', '../serving/index.ts', '../kernel/index.ts', '@binnacle/contract', 'node:crypto', 'yaml'],
  [`${SERVER}/tracking/inner.ts`],
  [`${SERVER}/tracking/inner.test.ts`, './inner.ts', 'node:http', '../adapters/sql/index.ts'],
  [`${SERVER}/tracking/store.port.ts`],
  [`${SERVER}/tracking/l.ts`, './k.ts'],
  [`${SERVER}/serving/index.ts`],
  [`${SERVER}/serving/inner.ts`],
  [`${SERVER}/serving/tensor.ts`],
  [`${SERVER}/adapters/sql/index.ts`, './inner.ts', '../../tracking/store.port.ts', 'kysely', 'node:sqlite'],
  [`${SERVER}/adapters/sql/inner.ts`],
  [`${SERVER}/remote/index.ts`, '../serving/index.ts', 'node:http'],
  [`${SERVER}/launcher/index.ts`, '../kernel/index.ts', 'node:child_process'],
  [`${SERVER}/adapters/process/index.ts`, '../../launcher/index.ts'],
  [`${SERVER}/adapters/triton/index.ts`, '../../remote/index.ts'],
  [`${SERVER}/adapters/onnx/index.ts`, '../../serving/tensor.ts', '../../serving/index.ts', 'onnxruntime-node'],
  ['packages/server/test/kit.ts', '../src/tracking/inner.ts'],
];

const NPM = ['zod', 'yaml', 'fastify', 'pino', 'kysely', 'onnxruntime-node'];
const PACKAGES: Record<string, { name: string; entry: string; dependencies: string[] }> = {
  contract: { name: '@binnacle/contract', entry: 'index', dependencies: ['zod', 'fastify', '@binnacle/sdk'] },
  sdk: { name: '@binnacle/sdk', entry: 'index', dependencies: ['@binnacle/contract', 'zod', 'binnacle'] },
  server: { name: 'binnacle', entry: 'compose', dependencies: [...NPM, '@binnacle/contract', '@binnacle/sdk'] },
  web: { name: '@binnacle/web', entry: 'index', dependencies: ['@binnacle/contract', '@binnacle/sdk', 'binnacle'] },
};

let tree: string;
const found = new Set<string>();

/** A house in small with the real names of the places, and the real rules run over it. */
beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'binnacle-walls-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  };
  copyFileSync(join(ROOT, 'tsconfig.base.json'), join(tree, 'tsconfig.base.json'));
  write('package.json', '{"type":"module"}');
  for (const name of NPM) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(`node_modules/${name}/index.js`, '');
  }
  mkdirSync(join(tree, 'node_modules/@binnacle'));
  for (const [folder, { name, entry, dependencies }] of Object.entries(PACKAGES)) {
    const manifest = {
      name,
      exports: { '.': `./dist/${entry}.js`, './node': './dist/node/index.js' },
      dependencies: Object.fromEntries(dependencies.map((one) => [one, '1'])),
    };
    write(`packages/${folder}/package.json`, JSON.stringify(manifest));
    write(`packages/${folder}/dist/${entry}.js`, '');
    if (folder === 'sdk') write('packages/sdk/dist/node/index.js', '');
    symlinkSync(join(tree, 'packages', folder), join(tree, 'node_modules', name), 'dir');
  }
  for (const [file, ...imported] of [...SOUND, ...BROKEN.map(([, file, one]): [string, string] => [file, one])])
    write(file, `${imported.map((one) => `import type {} from '${one}';\n`).join('')}export {};\n`);
  const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const argv = [cruiser, '--config', WALLS, '--output-type', 'json'];
  const places = ['packages/contract/src', 'packages/sdk/src', 'packages/server/src', 'packages/server/test', 'packages/web/src'];
  let output: string;
  try {
    output = execFileSync(process.execPath, [...argv, ...places], { cwd: tree, encoding: 'utf8', maxBuffer: 2 ** 26 });
  } catch (error) {
    // It exits with the number of errors.
    output = (error as { stdout: string }).stdout;
  }
  const { summary } = JSON.parse(output) as { summary: { violations: { rule: { name: string }; from: string }[] } };
  for (const { rule, from } of summary.violations) found.add(`${rule.name}: ${from}`);
}, 60_000);

afterAll(() => rmSync(tree, { recursive: true, force: true }));

it.each(BROKEN)('%s holds against %s importing %s', (rule, file) => {
  expect([...found]).toContain(`${rule}: ${file}`);
});

it('what stands as it should is not reported', () => {
  // l.ts is the other half of the cycle.
  const sound = new Set(SOUND.map(([file]) => file).filter((file) => !file.endsWith('/l.ts')));
  expect([...found].filter((one) => sound.has(one.split(': ')[1] as string))).toEqual([]);
});

it('every rule has been broken once', () => {
  const { forbidden } = createRequire(import.meta.url)(WALLS) as { forbidden: { name: string }[] };
  // What these places import is their whole text, so that a rule is seen to hold by the ones above.
  const trivial = ['web-npm', 'main-ours', 'main-npm', 'main-core', 'version-ours', 'version-npm', 'version-core'];
  const broken = new Set(BROKEN.map(([rule]) => rule));
  expect(forbidden.map(({ name }) => name).filter((name) => !broken.has(name) && !trivial.includes(name))).toEqual([]);
});
