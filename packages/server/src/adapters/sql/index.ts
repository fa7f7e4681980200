/** The stores of all rooms in SQL, and the engine that runs them: SQLite in worker threads, and the lock on its data directory. */
export { type SqlEngine, type StoreClass, type StoreCommand, type StoreContext, storeProxy } from './engine.ts';
export { type DatabaseLocation, openMovable, parseDatabaseLocation } from './moving/open.ts';
export { databaseSnapshots, openDatabase } from './open.ts';
export { openSqlite, type SqliteEngineOptions } from './sqlite/engine.ts';
export { sqliteSnapshots } from './sqlite/snapshots.ts';
export { type DataDirLock, isLocked, lockDataDir, type Owner, readOwner } from './sqlite/data-dir.ts';
