import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDuckDb, quotePath } from './instance.ts';
import { writePlainParquet } from './plain-parquet.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-parquet-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function readBack(file: string, sql: string): Promise<unknown[]> {
  const db = await openDuckDb();
  const connection = await db.connect();
  try {
    return await (await connection.run(sql.replace('FILE', `read_parquet(${quotePath(file)})`))).getRowObjectsJson();
  } finally {
    connection.closeSync();
    db.close();
  }
}

it('every type reads back as it was, at its limits', async () => {
  const file = join(dir, 'all.parquet');
  await writePlainParquet(file, 3, [
    { name: 'f', values: Float32Array.of(0.5, Number.NaN, -Infinity) },
    { name: 'd', values: Float64Array.of(1e-308, -0, 1.7976931348623157e308) },
    { name: 'i8', values: Int8Array.of(-128, 0, 127) },
    { name: 'i16', values: Int16Array.of(-32768, 0, 32767) },
    { name: 'i32', values: Int32Array.of(-2147483648, 0, 2147483647) },
    { name: 'i64', values: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n) },
    { name: 'u8', values: Uint8Array.of(0, 1, 255) },
    { name: 'u16', values: Uint16Array.of(0, 1, 65535) },
    { name: 'u32', values: Uint32Array.of(0, 1, 4294967295) },
    { name: 'u64', values: BigUint64Array.of(0n, 1n, 2n ** 64n - 1n) },
    { name: 'текст "x"', values: ['', 'naïve 🚢', 'x'.repeat(300)] },
    // A view into a larger buffer.
    { name: 'view', values: new Float32Array(Float32Array.of(9, 1, 2, 3).buffer, 4, 3) },
    ...Array.from({ length: 20 }, (_, i) => ({ name: `more${i}`, values: Int32Array.of(i, i, i) })),
  ]);
  const types = (await readBack(file, 'DESCRIBE SELECT * FROM FILE')) as { column_type: string }[];
  expect(types.slice(0, 12).map((row) => row.column_type)).toEqual([
    'FLOAT',
    'DOUBLE',
    'TINYINT',
    'SMALLINT',
    'INTEGER',
    'BIGINT',
    'UTINYINT',
    'USMALLINT',
    'UINTEGER',
    'UBIGINT',
    'VARCHAR',
    'FLOAT',
  ]);
  const rows = (await readBack(file, 'SELECT * FROM FILE')) as Record<string, unknown>[];
  expect(rows.map((row) => [row['f'], row['i8'], row['i16'], row['i32'], row['i64'], row['u8'], row['u32'], row['u64'], row['view'], row['more19']])).toEqual([
    [0.5, -128, -32768, -2147483648, '-9223372036854775808', 0, 0, '0', 1, 19],
    ['NaN', 0, 0, 0, '0', 1, 1, '1', 2, 19],
    ['-Infinity', 127, 32767, 2147483647, '9223372036854775807', 255, 4294967295, '18446744073709551615', 3, 19],
  ]);
  expect(rows.map((row) => row['текст "x"'])).toEqual(['', 'naïve 🚢', 'x'.repeat(300)]);
});

it('many rows and none', async () => {
  const rows = 300_000;
  await writePlainParquet(join(dir, 'many.parquet'), rows, [{ name: 'n', values: BigInt64Array.from({ length: rows }, (_, i) => BigInt(i)) }]);
  expect(await readBack(join(dir, 'many.parquet'), 'SELECT count(*) AS rows, count(*) FILTER (n <> file_row_number) AS wrong FROM FILE')).toEqual([
    { rows: '300000', wrong: '0' },
  ]);
  await writePlainParquet(join(dir, 'none.parquet'), 0, [{ name: 'n', values: new Float64Array(0) }]);
  expect(await readBack(join(dir, 'none.parquet'), 'SELECT count(*) AS rows FROM FILE')).toEqual([{ rows: '0' }]);
});
