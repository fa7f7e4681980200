/** S3 and what speaks like it: artifacts in a bucket, with a cache of local copies. The SDK is loaded when a store is opened. */
export { openS3ArtifactStore, type S3ArtifactStoreOptions } from './artifact-store.ts';
