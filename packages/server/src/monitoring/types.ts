/** Shadow traffic is kept apart: it counts nowhere unless its version is asked for. */
export type StoredSource = 'live' | 'batch' | 'shadow';
