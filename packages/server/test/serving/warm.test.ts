import { afterEach, expect, it } from 'vitest';
import { identity, sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

let kit: ServingKit;
afterEach(() => kit.close());

it('runs a sample of every served version, and says what is not loaded', async () => {
  kit = await servingKit();
  await kit.registry.add('m', sum(2, 1));
  await kit.registry.add('m', sum(2, 2));
  await kit.serving.deploy('e', {
    model: 'm',
    traffic: [
      { version: 1, weight: 100, shadow: false },
      { version: 2, weight: 0, shadow: true },
    ],
  });
  const warmed = await kit.serving.warm('e');
  expect(warmed.map(({ version }) => version).sort()).toEqual([1, 2]);
  expect(warmed.every(({ millis }) => millis !== null && millis >= 0)).toBe(true);
  // It is no request: nothing is counted or monitored.
  expect([kit.predictions.length, kit.serving.stats('e').total.requests]).toEqual([0, 0]);
  await kit.serving.unload('e');
  await expect(kit.serving.warm('e')).rejects.toMatchObject({ kind: 'unavailable' });
  await expect(kit.serving.warm('none')).rejects.toMatchObject({ kind: 'not_found' });
});

it('makes up inputs where there is no sample', async () => {
  kit = await servingKit();
  await kit.deploy('wide', identity('INT64', ['N', 3, 'H']));
  expect(await kit.serving.warm('wide')).toEqual([{ version: 1, millis: expect.any(Number) }]);
});
