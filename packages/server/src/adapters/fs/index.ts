/** The local disk: artifacts in a folder, and the count of what monitoring has taken in. */
export { openFolderArtifactStore } from './artifact-store.ts';
export { openIntakeLedger } from './intake-ledger.ts';
