import { locateTable } from './files.ts';
import type { TableEngine, TableSource } from './table-engine.port.ts';
import type { TableFormat } from './types.ts';

export interface TablesService {
  /** Opens a file, folder or glob for reading. Close what it gives. */
  open(location: string, options?: { format?: TableFormat | 'auto' }): Promise<TableSource>;
  readonly write: TableEngine['write'];
}

export const createTablesService = ({ engine }: { engine: TableEngine }): TablesService => ({
  open: async (location, options = {}) => engine.open(await locateTable(location, options.format)),
  write: (path, format, tables) => engine.write(path, format, tables),
});
