/** Who holds a data directory, for commands that look before they start anything. */
export { isLocked, lockDataDir, readOwner } from '../adapters/sql/index.ts';
