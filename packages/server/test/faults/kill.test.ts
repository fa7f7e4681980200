import { it } from 'vitest';
import { killAndVerify } from './kill.ts';
import { sixteen } from './writers.ts';

it('what was acknowledged is there after kill -9 under sixteen writers, and nothing is torn', async () => {
  await killAndVerify(3, sixteen, [200, 500]);
}, 120_000);
