// The walls of the house (docs/architecture.md): who may import whom. Type-only imports count.
const ROOMS = 'tracking|registry|artifacts|gates|serving|batch|monitoring|tables|overview|compute|jobs|pipelines|vectors|online|board|access';
const SRC = '^packages/server/src';
const TESTS = '\\.test\\.ts$';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'kernel-imports-nothing-of-ours', severity: 'error', from: { path: `${SRC}/kernel/`, pathNot: TESTS }, to: { path: `${SRC}/(?!kernel/)` } },
    {
      name: 'rooms-meet-through-their-faces',
      comment: 'A room imports another only by its index.ts.',
      severity: 'error',
      from: { path: `${SRC}/(${ROOMS})/` },
      to: { path: `${SRC}/(${ROOMS})/`, pathNot: [`${SRC}/$1/`, `${SRC}/(${ROOMS})/index\\.ts$`] },
    },
    {
      name: 'rooms-know-no-transport-and-no-engine',
      severity: 'error',
      from: { path: `${SRC}/(${ROOMS})/`, pathNot: TESTS },
      to: { path: `${SRC}/(http|protocols|adapters|cli|compose|main|config)` },
    },
    {
      name: 'front-ends-enter-by-the-face',
      severity: 'error',
      from: { path: `${SRC}/(http|protocols|cli)/`, pathNot: TESTS },
      to: { path: `${SRC}/(${ROOMS})/`, pathNot: `${SRC}/(${ROOMS})/index\\.ts$` },
    },
    {
      name: 'protocols-do-not-know-each-other',
      severity: 'error',
      from: { path: `${SRC}/protocols/([^/]+)/` },
      to: { path: `${SRC}/protocols/([^/]+)/`, pathNot: `${SRC}/protocols/$1/` },
    },
    {
      name: 'adapters-see-faces-ports-and-kernel',
      severity: 'error',
      from: { path: `${SRC}/adapters/`, pathNot: TESTS },
      to: {
        path: `${SRC}/`,
        pathNot: [
          `${SRC}/adapters/`,
          `${SRC}/kernel/`,
          `${SRC}/(${ROOMS})/(index|[^/]+\\.port)\\.ts$`,
          `${SRC}/(serving/tensor|monitoring/profile/index)\\.ts$`,
        ],
      },
    },
    {
      name: 'adapters-never-import-each-other',
      severity: 'error',
      from: { path: `${SRC}/adapters/([^/]+)/` },
      to: { path: `${SRC}/adapters/([^/]+)/`, pathNot: `${SRC}/adapters/$1/` },
    },
    {
      name: 'only-compose-names-adapters',
      severity: 'error',
      from: { path: `${SRC}/`, pathNot: [`${SRC}/(compose|adapters)`, TESTS] },
      to: { path: `${SRC}/adapters/` },
    },
    {
      name: 'compose-enters-by-the-face',
      severity: 'error',
      from: { path: `${SRC}/compose` },
      to: {
        path: `${SRC}/(${ROOMS}|http|config|protocols/[^/]+|adapters/[^/]+)/`,
        pathNot: `${SRC}/(${ROOMS}|http|config|protocols/[^/]+|adapters/[^/]+)/index\\.ts$`,
      },
    },
    ...Object.entries({ sql: 'kysely', onnx: 'onnxruntime-node|onnx-proto', duckdb: '@duckdb/' }).map(([adapter, drivers]) => ({
      name: `only-${adapter}-imports-its-driver`,
      severity: 'error',
      from: { path: `${SRC}/`, pathNot: [`${SRC}/adapters/${adapter}/`, TESTS] },
      to: { path: `node_modules/(${drivers})` },
    })),
    {
      name: 'only-sql-opens-sqlite',
      severity: 'error',
      from: { path: `${SRC}/`, pathNot: [`${SRC}/adapters/sql/`, TESTS] },
      to: { path: '^node:sqlite$|^sqlite$' },
    },
    { name: 'contract-stands-alone', severity: 'error', from: { path: '^packages/contract/' }, to: { path: '^packages/(?!contract/)' } },
    {
      name: 'sdk-knows-the-contract-only',
      severity: 'error',
      from: { path: '^packages/sdk/src', pathNot: TESTS },
      to: { path: '^packages/(?!sdk/|contract/)' },
    },
    { name: 'web-knows-contract-and-sdk-only', severity: 'error', from: { path: '^packages/web/' }, to: { path: '^packages/(?!web/|contract/|sdk/)' } },
    { name: 'server-source-imports-no-test', severity: 'error', from: { path: '^packages/[^/]+/src/', pathNot: TESTS }, to: { path: '/test/|\\.test\\.ts$' } },
    {
      name: 'no-undeclared-dependencies',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/|packages/web/test' },
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
