import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDuckDb, quoteIdentifier, quoteLiteral, quotePath } from './instance.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-duckdb-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('two handles on one file share an instance and see each other’s rows', async () => {
  const path = join(dir, 'a.duckdb');
  const [one, two] = await Promise.all([openDuckDb({ path }), openDuckDb({ path })]);
  const writer = await one.connect();
  await writer.run('CREATE TABLE t AS SELECT 42 AS x');
  writer.closeSync();
  one.close();
  const reader = await two.connect();
  expect(await (await reader.run('SELECT x FROM t')).getRowObjectsJson()).toEqual([{ x: 42 }]);
  reader.closeSync();
  two.close();
  const again = await openDuckDb({ path });
  const connection = await again.connect();
  expect(await (await connection.run('SELECT x FROM t')).getRowObjectsJson()).toEqual([{ x: 42 }]);
  connection.closeSync();
  again.close();
});

it('names, literals and paths are quoted whatever they contain', async () => {
  const db = await openDuckDb();
  const connection = await db.connect();
  const name = `we"ird 'ñame'; --[*?]`;
  const file = join(dir, `we[1]rd*?'ñ.csv`);
  writeFileSync(file, 'a\n1\n');
  const rows = await (
    await connection.run(`SELECT a AS ${quoteIdentifier(name)}, ${quoteLiteral("it's")} AS b FROM read_csv(${quotePath(file)})`)
  ).getRowObjectsJson();
  expect(rows).toEqual([{ [name]: '1', b: "it's" }]);
  connection.closeSync();
  db.close();
});

it('a sandboxed database reaches its folders and nothing else', async () => {
  const inside = join(dir, 'in[1]');
  const outside = join(dir, 'secret.csv');
  writeFileSync(outside, 'a\n1\n');
  const { mkdirSync } = await import('node:fs');
  mkdirSync(inside);
  const db = await openDuckDb({ sandbox: { directories: [inside] } });
  const connection = await db.connect();
  await connection.run(`COPY (SELECT 7 AS x) TO ${quoteLiteral(join(inside, 'x.parquet'))} (FORMAT parquet)`);
  expect(await (await connection.run(`SELECT x FROM read_parquet(${quotePath(join(inside, 'x.parquet'))})`)).getRowObjectsJson()).toEqual([{ x: 7 }]);
  for (const sql of [
    `FROM read_csv(${quotePath(outside)})`,
    `FROM read_csv(${quoteLiteral(join(inside, '..', 'secret.csv'))})`,
    `COPY (SELECT 1) TO ${quoteLiteral(join(dir, 'o.csv'))}`,
    `ATTACH ${quoteLiteral(join(dir, 'o.db'))}`,
    'SET threads = 1',
    'LOAD httpfs',
    "FROM read_csv('https://example.org/a.csv')",
  ])
    await expect(connection.run(sql), sql).rejects.toThrow(/Permission|locked|disabled|httpfs/i);
  connection.closeSync();
  db.close();
});
