import { createDuckDbTables } from '../adapters/duckdb/index.ts';
import { createTablesService, type TablesService } from '../tables/index.ts';

/** Tables in files, for a command that reads one itself. */
export const tables: TablesService = createTablesService({ engine: createDuckDbTables() });

/** The same for a server, which has other things to do. */
export const sharedTables = (): TablesService => createTablesService({ engine: createDuckDbTables({ threads: 2, memoryLimit: '512MB' }) });
