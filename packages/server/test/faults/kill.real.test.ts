import { it } from 'vitest';
import { killAndVerify } from './kill.ts';
import { batches, sixteen } from './writers.ts';

it('kill -9 at 50 random moments under 16 writers: every acknowledged write is there once, and nothing is torn', async () => {
  await killAndVerify(50, sixteen, [0, 500]);
}, 600_000);

it('kill -9 while long series are compacted loses and tears nothing', async () => {
  await killAndVerify(
    5,
    Array.from({ length: 4 }, () => batches(998)),
    [300, 800],
  );
}, 300_000);
