// The walls of the house (docs/architecture.md): for each place what it may import, and nothing else. Type-only imports count.
// packages/server/test/walls.test.ts breaks each rule once.
const ROOMS = 'tracking|registry|artifacts|gates|serving|batch|monitoring|tables|overview|upkeep|transfer|compute|jobs|pipelines|vectors|online|board|access';
const SRC = '^packages/server/src';
const TESTS = '\\.test\\.tsx?$';

/** A package of ours is entered by its name, and so by what it exports. */
const CONTRACT = '^packages/contract/dist/';
const SDK = '^packages/sdk/dist/(?!node/)';
const SDK_NODE = '^packages/sdk/dist/node/';
const KERNEL = `${SRC}/kernel/`;
const ROOM_FACES = `${SRC}/(${ROOMS})/index\\.ts$`;
/** Second faces, for worker threads that cannot afford the whole room: data and pure functions. */
const LIGHT_FACES = `${SRC}/(serving/(tensor|rows)|monitoring/(profile/index|log-rows))\\.ts$`;
const PORTS = `${SRC}/(${ROOMS})/[^/]+\\.port\\.ts$`;
const CONFIG_FACE = `${SRC}/config/index\\.ts$`;
const HTTP_FACES = `${SRC}/http/((data-plane|grpc)/)?index\\.ts$`;
const COMPOSE = `${SRC}/compose(\\.ts$|/)`;
/** What adapters that call other servers share. */
const REMOTE_FACE = `${SRC}/remote/index\\.ts$`;
/** How adapters start programs, and have threads give way. */
const LAUNCHER_FACE = `${SRC}/launcher/index\\.ts$`;
const VERSION = `${SRC}/version\\.ts$`;

/**
 * `at`: the files of the place. `ours`: files of ours that it may import. `npm`: packages that it may ($1 in `ours` is what `at` caught).
 * `core`: modules of Node that it may; absent: any.
 */
const PLACES = {
  contract: { at: '^packages/contract/src/', ours: ['^packages/contract/src/'], npm: ['zod'], core: [] },
  sdk: { at: '^packages/sdk/src/(?!node/)', ours: ['^packages/sdk/src/(?!node/)', CONTRACT], npm: [], core: [] },
  // What needs Node is a second entry, so that a browser's bundle never meets it.
  'sdk-node': { at: '^packages/sdk/src/node/', ours: ['^packages/sdk/src/', CONTRACT], npm: [] },
  // What the browser's bundle may hold besides is said by its package.json, see no-undeclared-dependencies.
  web: { at: '^packages/web/src/', ours: ['^packages/web/src/', CONTRACT, SDK], npm: ['.+'], core: [] },
  kernel: { at: KERNEL, ours: [KERNEL], npm: [], core: ['crypto'] },
  room: {
    at: `${SRC}/(${ROOMS})/`,
    ours: [`${SRC}/$1/`, ROOM_FACES, KERNEL, CONTRACT],
    npm: ['yaml', 'zod'],
    core: ['buffer', 'crypto', 'fs', 'fs/promises', 'path', 'path/posix', 'stream', 'timers/promises'],
  },
  config: { at: `${SRC}/config/`, ours: [`${SRC}/config/`, KERNEL], npm: [], core: ['fs', 'os', 'path', 'url'] },
  http: { at: `${SRC}/http/`, ours: [`${SRC}/http/`, ROOM_FACES, CONFIG_FACE, KERNEL, CONTRACT], npm: ['fastify', '@fastify/static', 'protobufjs', 'zod'] },
  protocol: { at: `${SRC}/protocols/([^/]+)/`, ours: [`${SRC}/protocols/$1/`, ROOM_FACES, HTTP_FACES, KERNEL, CONTRACT], npm: ['fastify', 'protobufjs'] },
  cli: {
    at: `${SRC}/cli/`,
    ours: [`${SRC}/cli/`, ROOM_FACES, CONFIG_FACE, COMPOSE, VERSION, KERNEL, CONTRACT, SDK, SDK_NODE],
    npm: ['@commander-js/extra-typings', 'jpeg-js', 'pngjs'],
  },
  remote: { at: `${SRC}/remote/`, ours: [`${SRC}/remote/`, ROOM_FACES, KERNEL, CONTRACT], npm: ['protobufjs'] },
  launcher: { at: `${SRC}/launcher/`, ours: [`${SRC}/launcher/`, KERNEL], npm: [] },
  adapter: { at: `${SRC}/adapters/([^/]+)/`, ours: [`${SRC}/adapters/$1/`, REMOTE_FACE, LAUNCHER_FACE, ROOM_FACES, LIGHT_FACES, PORTS, KERNEL, CONTRACT] },
  compose: {
    at: COMPOSE,
    ours: [
      COMPOSE,
      ROOM_FACES,
      REMOTE_FACE,
      CONFIG_FACE,
      `${SRC}/http/index\\.ts$`,
      `${SRC}/(protocols|adapters)/[^/]+/index\\.ts$`,
      VERSION,
      KERNEL,
      CONTRACT,
    ],
    npm: ['pino'],
  },
  main: { at: `${SRC}/main\\.ts$`, ours: [`${SRC}/cli/(memory-limits|lean-start|index)\\.ts$`, COMPOSE], npm: [], core: [] },
  version: { at: VERSION, ours: [], npm: [], core: ['module'] },
};
/** Each adapter's driver; those not named here have none. */
const DRIVERS = {
  sql: ['kysely', 'pg', '@types/pg', 'mysql2'],
  onnx: ['onnxruntime-node'],
  duckdb: ['@duckdb/node-api', '@duckdb/node-bindings'],
  // Types only: reflection is loaded by what they share.
  triton: ['protobufjs'],
  'tf-serving': ['protobufjs'],
  lambda: ['@aws-sdk/client-lambda'],
  s3: ['@aws-sdk/client-s3', '@aws-sdk/lib-storage', '@aws-sdk/s3-request-presigner'],
};

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const npmBut = (allowed) => ({ path: '(^|/)node_modules/', ...(allowed.length === 0 ? {} : { pathNot: `(^|/)node_modules/(${allowed.join('|')})/` }) });
const coreBut = (allowed) => ({ dependencyTypes: ['core'], ...(allowed.length === 0 ? {} : { pathNot: `^(${allowed.join('|')})$` }) });

const placeRules = Object.entries(PLACES).flatMap(([place, { at, ours, npm, core }]) => {
  const from = { path: at, pathNot: TESTS };
  return [
    forbid(`${place}-ours`, `What of ours ${place} may import.`, from, { path: '^packages/', pathNot: ['/node_modules/', ...ours] }),
    ...(npm === undefined ? [] : [forbid(`${place}-npm`, `Packages that ${place} may import: ${npm.join(', ')}.`, from, npmBut(npm))]),
    ...(core === undefined ? [] : [forbid(`${place}-core`, `Modules of Node that ${place} may import: ${core.join(', ')}.`, from, coreBut(core))]),
  ];
});

const KNOWN = Object.values(PLACES).map(({ at }) => at);

module.exports = {
  forbidden: [
    forbid('no-cycles', 'Type-only ones included.', {}, { circular: true }),
    forbid('no-unresolvable', 'What is not found is not judged either.', {}, { couldNotResolve: true }),
    ...placeRules,
    ...Object.entries(DRIVERS).map(([adapter, drivers]) =>
      forbid(`adapter-${adapter}-npm`, 'An adapter imports its own driver only.', { path: `${SRC}/adapters/${adapter}/`, pathNot: TESTS }, npmBut(drivers)),
    ),
    forbid(
      'adapter-other-npm',
      'It has no driver.',
      { path: `${SRC}/adapters/`, pathNot: [`${SRC}/adapters/(${Object.keys(DRIVERS).join('|')})/`, TESTS] },
      npmBut([]),
    ),
    forbid(
      'only-sql-opens-sqlite',
      'The database has one owner; MLflow’s is another, and is read only.',
      { path: `${SRC}/`, pathNot: [`${SRC}/adapters/(sql|mlflow-db)/`, TESTS] },
      { path: '^(node:)?sqlite$' },
    ),
    forbid('known-places-from', 'A source belongs to a place that has a rule here.', { path: `${SRC}/`, pathNot: [...KNOWN, TESTS] }, {}),
    forbid('known-places-to', 'A source belongs to a place that has a rule here.', {}, { path: `${SRC}/`, pathNot: [...KNOWN, TESTS] }),
    forbid(
      'room-tests',
      'A unit test, too, meets other rooms by their faces.',
      { path: `${SRC}/(${ROOMS})/.*${TESTS}` },
      { path: `${SRC}/(${ROOMS})/`, pathNot: [`${SRC}/$1/`, ROOM_FACES] },
    ),
    forbid(
      'source-imports-no-test',
      'Tests are not shipped.',
      { path: '^packages/[^/]+/src/', pathNot: TESTS },
      { path: `^packages/[^/]+/test/|^packages/.*${TESTS}` },
    ),
    forbid(
      'no-undeclared-dependencies',
      "It must be in the package's own package.json.",
      { path: '^packages/[^/]+/src/', pathNot: TESTS },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    ),
  ],
  options: {
    // A workspace package resolves into its dist: the edge counts, what lies behind it is judged at its source.
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: '^packages/web/test/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs'],
    },
  },
};
