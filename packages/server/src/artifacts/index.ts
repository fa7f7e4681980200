/** The files of runs, logged models and versions: paths, URIs, storing, listing, reading. */
export type { ArtifactEntry, ArtifactStore, DirectTransfers, OpenArtifact, TransferLink } from './artifact-store.port.ts';
export {
  type ArtifactService,
  createArtifactService,
} from './artifacts.service.ts';
export { artifactCorrupted, type ExpectedChecksums } from './checksums.ts';
export { mediaTypeOf } from './media-types.ts';
export {
  checkArtifactPath,
  joinArtifactPath,
} from './paths.ts';
export {
  type ArtifactUriLookup,
  isElsewhere,
  type ParsedArtifactUri,
  parseArtifactUri,
  proxiedPath,
  resolveArtifactUri,
} from './uri.ts';
