import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseProcess, startPostgres } from '../../packages/server/test/adapters/database-servers.ts';
import { ALL, CLIENT, pinSelf } from './cores.ts';
import { stopWithAll } from './process.ts';
import { binnacleData, binnacleKey, fillBinnacle, fillMlflow, mlflowData, mlflowKey, type SearchData } from './search-data.ts';
import { type Server, startBinnacle, startMlflow } from './servers.ts';
import type { Context } from './types.ts';

/** Where both servers keep their metadata. Each is made ready first, on an empty database or on one that holds runs, and started later. */
export interface Backend {
  settings: string[];
  binnacle(size: SearchData | undefined): Promise<() => Promise<Server>>;
  mlflow(size: SearchData | undefined): Promise<() => Promise<Server>>;
  close(): Promise<void>;
}

export async function sqliteBackend(context: Context): Promise<Backend> {
  const { scratch } = context;
  return {
    settings: ['Both on SQLite, durable as each is by default; the database that MLflow searches is analyzed.'],
    async binnacle(size) {
      const dir = size === undefined ? join(scratch, 'binnacle') : await binnacleData(context, size);
      return () => startBinnacle({ dir });
    },
    async mlflow(size) {
      if (size === undefined) return () => startMlflow({ dir: join(scratch, 'mlflow'), database: `sqlite:///${join(scratch, 'mlflow.db')}`, jobs: false });
      const dir = await mlflowData(context, size);
      return () => startMlflow({ dir: join(scratch, 'mlflow-search'), database: `sqlite:///${join(dir, 'analyzed.db')}`, jobs: false });
    },
    close: async () => {},
  };
}

/** One PostgreSQL for both, a database each; what was loaded is kept in bench/.data for the next time. */
export async function postgresBackend(context: Context): Promise<Backend> {
  const { data, scratch, say } = context;
  const dir = join(data, 'postgres');
  mkdirSync(dir, { recursive: true });
  // It may use what the benchmark itself keeps off.
  pinSelf(ALL);
  const server = await startPostgres(dir).finally(() => pinSelf(CLIENT));
  stopWithAll(server);
  /** The URL of a database that `fill` has filled, now or an earlier time. */
  const filled = async (name: string, key: string, fill: (url: string) => Promise<void>): Promise<string> => {
    const mark = join(data, `postgres-${name}.loaded`);
    if (existsSync(mark) && readFileSync(mark, 'utf8') === key) return server.url({ database: name });
    say(`loading ${name} (kept for the next time) …`);
    const url = anew(server, name);
    await fill(url);
    server.admin(`vacuum analyze`, name);
    writeFileSync(mark, key);
    return url;
  };
  /** Four workers with as many connections as PostgreSQL lets them have: with its own 15 each, MLflow runs out of them under 32 clients, and waits half a minute. */
  const env = { MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: '22', MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: '0' };
  const ofMlflow = (url: string) => url.replace(/^postgres:/, 'postgresql+psycopg2:');
  return {
    settings: [
      'Both on one PostgreSQL with its own defaults, `synchronous_commit` on, a database each, on both cores; the filled databases are vacuumed and analyzed once, after loading.',
      '`mlflow server` with 22 connections a worker (`MLFLOW_SQLALCHEMYSTORE_POOL_SIZE`): with its own 15 it runs out of them under 32 clients.',
    ],
    async binnacle(size) {
      if (size === undefined) return () => startBinnacle({ dir: join(scratch, 'binnacle'), args: ['--database', anew(server, 'binnacle_empty')] });
      const url = await filled(`binnacle_${size.runs}`, binnacleKey(size), (database) => fillBinnacle({ url: database, file: '' }, size));
      return () => startBinnacle({ dir: join(scratch, `binnacle-${size.runs}`), args: ['--database', url] });
    },
    async mlflow(size) {
      if (size === undefined) return () => startMlflow({ dir: join(scratch, 'mlflow'), database: ofMlflow(anew(server, 'mlflow_empty')), jobs: false, env });
      const url = await filled(`mlflow_${size.runs}`, mlflowKey(size), (database) => fillMlflow(ofMlflow(database), join(scratch, 'mlflow.artifacts'), size));
      return () => startMlflow({ dir: join(scratch, 'mlflow-search'), database: ofMlflow(url), jobs: false, env });
    },
    close: () => server.stop(),
  };
}

/** A new, empty database in the place of one of that name. */
function anew(server: DatabaseProcess, name: string): string {
  server.dropDatabase(name);
  return server.createDatabase(name);
}
