/** Random numbers that come again with their seed: `BINNACLE_SEED`, or the clock. Mulberry32. */
export function seeded(): { random: () => number; seed: number } {
  const seed = Number(process.env.BINNACLE_SEED ?? Date.now() % 2 ** 31);
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { random, seed };
}
