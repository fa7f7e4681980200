/** Tables: rows in columns, and files of them: finding, reading and writing them, and which folders may be used for it. */
export { fingerprintOf, formatOf, locateTable, staticPrefix } from './files.ts';
export { createPathAccess, isWithin, type PathAccess } from './path-access.ts';
export type { TableRows } from './rows.ts';
export type { PageOptions, StreamOptions, TableEngine, TableSource } from './table-engine.port.ts';
export { createTablesService, type TablesService } from './tables.service.ts';
export type { Column, ColumnArray, Table, TableColumn, TableFile, TableFormat, TableLocation } from './types.ts';
