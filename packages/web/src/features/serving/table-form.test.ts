import { expect, it } from 'vitest';
import { invocationOf, tableOf } from './table-form.ts';

const signature = {
  inputs: [
    { name: 'age', type: 'long', required: true },
    { name: 'city', type: 'string', required: true },
    { name: 'member', type: 'boolean', required: false },
  ],
  outputs: [],
};
const sample = { invocations: { dataframe_split: { columns: ['age', 'city', 'member'], data: [[41, 'Bern', null]] } }, openInference: {} };

it('reads the sample under the columns of the signature, and writes it back as it was', () => {
  const form = tableOf({ signature, sample } as never);
  expect(form?.rows).toEqual([['41', 'Bern', '']]);
  expect(form?.columns.map(({ type }) => type)).toEqual(['long', 'string', 'boolean']);
  expect(JSON.parse((invocationOf(form as never) as { body: string }).body)).toEqual(sample.invocations);
});

it('says which cell is not what its column takes', () => {
  const form = tableOf({ signature, sample } as never) as NonNullable<ReturnType<typeof tableOf>>;
  expect(
    invocationOf({
      ...form,
      rows: [
        ['41', 'Bern', 'true'],
        ['x', 'Bern', ''],
      ],
    }),
  ).toEqual({ row: 1, column: 'age', problem: 'a number' });
  expect(invocationOf({ ...form, rows: [['41', 'Bern', 'yes']] })).toEqual({ row: 0, column: 'member', problem: 'true or false' });
});

it('sends an empty cell as a missing value, of texts too', () => {
  const form = tableOf({ signature, sample } as never) as NonNullable<ReturnType<typeof tableOf>>;
  const { body } = invocationOf({ ...form, rows: [['', '', '']] }) as { body: string };
  expect(JSON.parse(body).dataframe_split.data).toEqual([[null, null, null]]);
});

it('refuses a long that would not arrive as it was typed', () => {
  const form = tableOf({ signature, sample } as never) as NonNullable<ReturnType<typeof tableOf>>;
  for (const age of ['9007199254740993', '1.5']) expect(invocationOf({ ...form, rows: [[age, 'Bern', '']] })).toMatchObject({ row: 0, column: 'age' });
  expect(invocationOf({ ...form, rows: [['9007199254740991', 'Bern', '']] })).toHaveProperty('body');
});

it('is none for a model that takes tensors', () => {
  expect(tableOf({ signature: null, sample: { invocations: { inputs: {} }, openInference: {} } } as never)).toBeUndefined();
  expect(tableOf({ signature: null, sample: null } as never)).toBeUndefined();
});
