import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelRunner } from '../../src/compose/model-runner.ts';
import { identity } from '../support/onnx-graphs.ts';
import { servingKit, type ServingKit } from '../support/serving.ts';

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit();
});
afterAll(() => kit.close());

it.each([
  ['FP16', [0.5, -2]],
  ['FP32', [0.5, -2]],
  ['FP64', [0.1, -2]],
  ['INT64', [3, -4]],
  ['INT8', [3, -4]],
  ['BOOL', [true, false]],
  ['BYTES', ['a', 'ö']],
])('gates see the values of %s as they are in golden examples', async (datatype, row) => {
  const pkg = await kit.registry.add(`gate-${datatype}`, identity(datatype, ['N', 2]));
  const model = await modelRunner(() => kit.serving).open(pkg);
  try {
    const [a, b] = row;
    expect(
      await model.predict([
        { first: a, second: b },
        { first: b, second: a },
      ]),
    ).toEqual([{ y: [a, b] }, { y: [b, a] }]);
  } finally {
    await model.close();
  }
});
