import { expect, test } from 'vitest';
import { cellText, isPlotly, jsonLines, parseJson, pictureIn, prettyJson, tableOf } from './json.ts';

test('pretty JSON keeps every digit, escapes and signs within texts', () => {
  expect(prettyJson('{"a":[1.0,9007199254740993,{}],"b":"x{,}\\"[ ","c":[],"d":{"e":null}}')).toBe(
    '{\n  "a": [\n    1.0,\n    9007199254740993,\n    {}\n  ],\n  "b": "x{,}\\"[ ",\n  "c": [],\n  "d": {\n    "e": null\n  }\n}',
  );
  const odd = { k: ['\\', '"', '\u2028', { z: -1e-7 }], '': [[], [[]]] };
  expect(JSON.parse(prettyJson(JSON.stringify(odd)))).toEqual(odd);
  expect(prettyJson(JSON.stringify(odd))).toBe(JSON.stringify(odd, null, 2));
});
test('a list of objects is a table of all their keys', () => {
  expect(tableOf(parseJson('[{"a":1,"b":null},{"b":[1],"__proto__":2}]'))).toEqual({
    columns: ['a', 'b', '__proto__'],
    rows: [
      [1, null, undefined],
      [undefined, [1], 2],
    ],
  });
});
test("MLflow's log_table is a table, with its pictures", () => {
  const table = tableOf(parseJson('{"columns":["q","img"],"data":[["x",{"type":"image","filepath":"t/1.png","compressed_filepath":"t/1.webp"}]]}'));
  expect(table?.columns).toEqual(['q', 'img']);
  expect(pictureIn(table?.rows[0]?.[1])).toBe('t/1.png');
  expect(pictureIn({ type: 'image', filepath: 3 })).toBeUndefined();
});
test.each(['1', '[]', '[1]', '[[1]]', '[{}]', '{"columns":[],"data":[]}', '{"columns":["a"],"data":[1]}', '{"a":1}', 'null'])('%s is no table', (text) =>
  expect(tableOf(parseJson(text))).toBeUndefined(),
);
test('JSON Lines, and a last line that is cut off', () => {
  expect(jsonLines('{"a":1}\n\n{"a":2}\n{"a', false)).toEqual([{ a: 1 }, { a: 2 }]);
  expect(jsonLines('{"a":1}\nno', true)).toBeUndefined();
});
test('cells as text', () => {
  expect(['x', null, undefined, 0, true, { a: [1] }].map(cellText)).toEqual(['x', 'null', '', '0', 'true', '{"a":[1]}']);
});
test("Plotly's figures are known", () => {
  expect(isPlotly({ data: [{ type: 'bar' }], layout: {} })).toBe(true);
  expect(isPlotly({ data: [1], layout: {} })).toBe(false);
});
