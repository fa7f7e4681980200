import type { ModelRunner } from '../gates/index.ts';
import { type ServingService, tensorToJson } from '../serving/index.ts';
import type { Column } from '../tables/index.ts';

/** Serving's open versions as the gates want them: rows of named values in, rows of named values out. */
export const modelRunner = (serving: () => ServingService): ModelRunner => ({
  async open(pkg) {
    const version = await serving().openVersion(pkg);
    return {
      async predict(rows) {
        const outputs = await version.run(version.toTensors({ rows: rows.length, columns: toColumns(rows) }));
        const shown = outputs.map(tensorToJson);
        return rows.map((_, row) => Object.fromEntries(shown.map(({ name, shape, data }) => [name, valueAt(shape, data, row, rows.length)])));
      },
      close: () => version.close(),
    };
  },
});

function toColumns(rows: Record<string, unknown>[]): Column[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return names.map((name) => ({ name, values: rows.map((row) => (row[name] ?? null) as string | number | boolean | null) }));
}

/** A row of a tensor [N, …]: a scalar, or an array when it has more than one value a row. */
function valueAt(shape: number[], data: unknown[], row: number, rows: number): unknown {
  const width = data.length / rows;
  return shape.length <= 1 || width === 1 ? data[row * width] : data.slice(row * width, (row + 1) * width);
}
