/** Milliseconds since the Unix epoch; replaced in tests. */
export type Clock = () => number;
export const systemClock: Clock = () => Date.now();
