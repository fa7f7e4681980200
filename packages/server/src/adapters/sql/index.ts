export { type SqlEngine, type StoreClass, type StoreCommand, type StoreContext, storeProxy } from './engine.ts';
export { openSqlite, type SqliteEngineOptions } from './sqlite/engine.ts';
export { type DataDirLock, isLocked, lockDataDir, type Owner, readOwner } from './sqlite/data-dir.ts';
