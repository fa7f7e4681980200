import { formatOf, locateTable } from './files.ts';
import { rowReader, type TableRows } from './rows.ts';
import type { TableEngine, TableSource } from './table-engine.port.ts';
import type { TableFormat } from './types.ts';

export interface TablesService {
  /** Opens a file, folder or glob for reading. Close what it gives. */
  open(location: string, options?: { format?: TableFormat | 'auto' }): Promise<TableSource>;
  readonly write: TableEngine['write'];
  /** The format by a name's ending. */
  formatOf(name: string): TableFormat | undefined;
  /** Some rows of a local file as text, with limits that keep the reply small; no more than two are read at a time. */
  readRows(path: string, format: TableFormat, page: { offset: number; limit: number }): Promise<TableRows>;
}

export const createTablesService = ({ engine }: { engine: TableEngine }): TablesService => ({
  open: async (location, options = {}) => engine.open(await locateTable(location, options.format)),
  write: (path, format, tables) => engine.write(path, format, tables),
  formatOf,
  readRows: rowReader(engine),
});
