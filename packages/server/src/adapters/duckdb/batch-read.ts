import type { DuckDBConnection, DuckDBMaterializedResult } from '@duckdb/node-api';
import type { FeatureColumn, FeatureRows } from '../../batch/batch-input.port.ts';
import { allocate } from '../../serving/tensor.ts';
import type { TableColumn } from '../../tables/index.ts';
import { featuresQuery, KEY } from './batch-rows.ts';
import { featureSql } from './feature-sql.ts';
import { breathe, copyNumbers, type NumberArray, StringReader, vectorOf } from './vectors.ts';

/** The features of some rows as typed arrays; which rows cannot be used is decided by the engine, beside the values. */
export async function readFeatures(
  connection: DuckDBConnection,
  source: { rows: string; select?: string | undefined; where?: string | undefined },
  columns: readonly TableColumn[],
  wanted: readonly FeatureColumn[],
  time: string | undefined,
): Promise<FeatureRows> {
  const sql = wanted.map((feature) => featureSql(feature, columns));
  const checks = sql.flatMap((one) => one.checks);
  const picked = [
    ...sql.map(({ value }, i) => `${value} AS f${i}`),
    KEY,
    ...(time === undefined ? [] : ['__binnacle_time']),
    ...(checks.length === 0 ? [] : [`CASE ${checks.map(({ when, message }) => `WHEN ${when} THEN ${message}`).join(' ')} END AS bad`]),
  ];
  const result = await connection.run(featuresQuery(source.rows, source, picked.join(', '), time === undefined ? '' : `, ${time} AS __binnacle_time`));
  return collect(result, wanted, time !== undefined, checks.length > 0);
}

async function collect(result: DuckDBMaterializedResult, wanted: readonly FeatureColumn[], timed: boolean, checked: boolean): Promise<FeatureRows> {
  const rows = result.rowCount;
  const out: FeatureRows = {
    index: new BigInt64Array(rows),
    columns: wanted.map(({ name, array }) => ({ name, values: allocate(array, rows) })),
    bad: [],
  };
  const key = wanted.length;
  const time = timed ? new Float64Array(rows) : undefined;
  const readers = wanted.map(() => new StringReader());
  const messages: (string | null)[] = [];
  const messageReader = new StringReader();
  let at = 0;
  for (let i = 0; i < result.chunkCount; i++) {
    const chunk = result.getChunk(i);
    const n = chunk.rowCount;
    out.columns.forEach(({ values }, column) => {
      const vector = vectorOf(chunk, column);
      if (Array.isArray(values)) readers[column]?.copy(vector, n, values, at);
      else copyNumbers(vector, n, values as NumberArray, at);
    });
    copyNumbers(vectorOf(chunk, key), n, out.index, at);
    if (time !== undefined) copyNumbers(vectorOf(chunk, key + 1), n, time, at);
    if (checked) {
      messageReader.copy(vectorOf(chunk, key + (timed ? 2 : 1)), n, messages, 0);
      for (let row = 0; row < n; row++) if (messages[row] !== null) out.bad.push({ at: at + row, message: messages[row] as string });
    }
    at += n;
    await breathe(i);
  }
  if (time !== undefined) out.eventTime = time;
  return out;
}
