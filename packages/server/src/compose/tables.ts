import { createDuckDbTables } from '../adapters/duckdb/index.ts';
import { createTablesService, type TablesService } from '../tables/index.ts';

/** Tables in files, for a command that reads one itself. */
export const tables: TablesService = createTablesService({ engine: createDuckDbTables() });
