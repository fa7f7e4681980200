import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type DuckDb, openDuckDb } from './instance.ts';
import { guardSql } from './sql-guard.ts';

let db: DuckDb;
let connection: DuckDBConnection;
beforeAll(async () => {
  db = await openDuckDb({ sandbox: {} });
  connection = await db.connect();
});
afterAll(() => {
  connection.closeSync();
  db.close();
});

it('expressions on a row pass', async () => {
  for (const select of [
    'a, b',
    '*, hour(date) AS h',
    '* EXCLUDE (x), a + 1 AS y -- comment',
    'CASE WHEN a > 1 THEN [1, 2] ELSE [x FOR x IN b IF x > 1] END',
    'columns(*)',
    'a::DATE',
    '"weird ""name"',
    "list_aggregate(a, 'sum')",
    'TRY_CAST(a AS INT)',
    "nullif(a, 1), list_sum([a]), date_add(DATE '2020-01-01', INTERVAL 1 DAY)",
    "json_extract(a, '$.b'), a ->> '$.b'",
  ])
    await expect(guardSql(connection, select, undefined), select).resolves.toBeUndefined();
  for (const where of ['a > 1', "a = 'x' -- comment", 'a IN (1, 2) AND b BETWEEN 1 AND 2', 'a IS NOT NULL'])
    await expect(guardSql(connection, undefined, where), where).resolves.toBeUndefined();
});

it('whatever looks elsewhere, or would come out otherwise next time, is refused', async () => {
  for (const select of [
    '(SELECT max(a) FROM input)',
    'a FROM input; DROP TABLE x',
    'sum(a)',
    'row_number() OVER ()',
    'DISTINCT a',
    'random()',
    'now()',
    'current_date',
    'current_timestamp',
    'uuid()',
    'a UNION ALL SELECT b',
    'a) , (b',
    '1 ORDER BY 1',
    'a LIMIT 3',
    "getvariable('x')",
    "current_setting('temp_directory')",
    'unnest(a)',
    "EXISTS (FROM read_csv('/etc/passwd'))",
    'a /*',
    '',
    "nextval('s')",
    '?',
    '$1',
    'max(a) FILTER (a > 1)',
    'pg_sleep(100)',
    'json_structure(a)',
    "json_transform(a, '{}')",
    'json_merge_patch(a, b)',
    'a::VARIANT',
    'TRY_CAST(a AS STRUCT(x VARIANT))',
  ])
    await expect(guardSql(connection, select, undefined), select).rejects.toMatchObject({ kind: 'invalid' });
  for (const where of [
    'a IN (SELECT 1)',
    'a > 1 ORDER BY a',
    'true) UNION ALL (SELECT 1',
    'random() < 0.1',
    'true GROUP BY a',
    'count(*) > 1',
    '',
    "a = (FROM read_text('/etc/passwd'))",
  ])
    await expect(guardSql(connection, undefined, where), where).rejects.toMatchObject({ kind: 'invalid' });
});

it('deep nesting and odd bytes are errors, not crashes', async () => {
  await expect(guardSql(connection, `${'abs('.repeat(20_000)}a${')'.repeat(20_000)}`, undefined)).rejects.toThrow();
  await expect(guardSql(connection, 'a\0b', undefined)).rejects.toMatchObject({ kind: 'invalid' });
});
