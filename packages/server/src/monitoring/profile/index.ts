/** Profiles and their sketches. The database's worker thread merges stored ones and enters the room here, without the rest of it. */
export { CategorySketch, MAX_CATEGORIES } from './category-sketch.ts';
export { hash32 } from './hash.ts';
export { LatencyHistogram, mergeEncodedLatency } from './latency.ts';
export { LogSketch } from './log-sketch.ts';
export { Moments } from './moments.ts';
export { type NumericLayout, NumericSketch, numericLayout } from './numeric-sketch.ts';
export { mergeEncodedProfiles, type ProfileEntry, ProfileSet, type Role, type Sketch } from './profile-set.ts';
export { categoryKey, type ColumnValue, type ColumnValues, isMissing, looksNumeric, toNumber } from './values.ts';
