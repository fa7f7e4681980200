import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTablesService, fingerprintOf, locateTable, type TableEngine, type TableFormat, type TablesService } from '../../src/tables/index.ts';

/** What every table engine must do. */
export function tableEngineSuite(name: string, engine: TableEngine): void {
  describe(`table engine ${name}`, () => {
    let dir: string;
    let tables: TablesService;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'binnacle-tables-'));
      tables = createTablesService({ engine });
    });
    afterEach(() => rmSync(dir, { recursive: true }));

    const table = (rows: number, from = 0) => ({
      rows,
      columns: [
        { name: 'x', values: Float64Array.from({ length: rows }, (_, i) => from + i + 0.5) },
        { name: 'i', values: BigInt64Array.from({ length: rows }, (_, i) => BigInt(from + i)) },
        {
          name: 'ключ "t", ü',
          values: Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? null : i % 3 === 1 ? 'a' : `a longer text, with "quotes" 🚢 ${from + i}`)),
        },
      ],
    });

    for (const format of ['csv', 'jsonl', 'parquet'] as TableFormat[])
      it(`writes ${format} and reads it back in order, in pieces`, async () => {
        const path = join(dir, `t.${format}`);
        expect(await tables.write(path, format, [table(5000), table(3000, 5000)])).toMatchObject({ rows: 8000, bytes: expect.any(Number) });
        expect(readdirSync(dir)).toEqual([`t.${format}`]);
        const source = await tables.open(path);
        expect(source.columns.map((column) => column.name)).toEqual(['x', 'i', 'ключ "t", ü']);
        expect(await source.countRows()).toBe(8000);
        let n = 0;
        for await (const piece of source.stream({ batchRows: 2500 })) {
          expect(piece.rows).toBeLessThanOrEqual(2500);
          const [x, i, t] = piece.columns.map(({ values }) => values) as [Float64Array, Float64Array, (string | null)[]];
          for (let row = 0; row < piece.rows; row++, n++) {
            expect([x[row], i[row]]).toEqual([n + 0.5, n]);
            const k = n < 5000 ? n : n - 5000;
            expect(t[row]).toBe(k % 3 === 0 ? null : k % 3 === 1 ? 'a' : `a longer text, with "quotes" 🚢 ${n}`);
          }
        }
        expect(n).toBe(8000);
        await source.close();
      });

    for (const format of ['csv', 'parquet'] as TableFormat[])
      it(`gives a page of ${format} as text, wherever it begins`, async () => {
        const path = join(dir, `[t] ?*.${format}`);
        await tables.write(path, format, [table(5000), table(3000, 5000)]);
        const { rows, ...rest } = await tables.readRows(path, format, { offset: 4999, limit: 3 });
        expect(rest).toMatchObject({ offset: 4999, more: true, columnsLeftOut: 0, total: format === 'parquet' ? 8000 : null });
        expect(rest.columns.map(({ name, type }) => [name, type])).toEqual([
          ['x', 'DOUBLE'],
          ['i', 'BIGINT'],
          ['ключ "t", ü', 'VARCHAR'],
        ]);
        expect(rows).toEqual([
          ['4999.5', '4999', 'a'],
          ['5000.5', '5000', null],
          ['5001.5', '5001', 'a'],
        ]);
        expect(await tables.readRows(path, format, { offset: 7999, limit: 10 })).toMatchObject({ more: false, rows: [['7999.5', '7999', expect.any(String)]] });
        expect(await tables.readRows(path, format, { offset: 9000, limit: 10 })).toMatchObject({ more: false, rows: [] });
      });

    it('a page of CSV is what is written in the file: zeros in front, quotes, line ends, and long values cut between characters', async () => {
      const long = '🚢'.repeat(3000);
      writeFileSync(join(dir, 't.csv'), `id,text\r\n007,"a, ""b""\n2"\r\n08,${long}\r\n`);
      const { rows } = await tables.readRows(join(dir, 't.csv'), 'csv', { offset: 0, limit: 5 });
      expect(rows[0]).toEqual(['007', 'a, "b"\n2']);
      expect(rows[1]?.[0]).toBe('08');
      expect(rows[1]?.[1]).toMatch(/^(🚢)+…$/u);
      writeFileSync(join(dir, 't.tsv'), 'a\tb\n1,5\t"x y"\n');
      expect((await tables.readRows(join(dir, 't.tsv'), 'csv', { offset: 0, limit: 5 })).rows).toEqual([['1,5', 'x y']]);
    });

    it('a page holds no more than 200 columns, and says how many there are', async () => {
      writeFileSync(join(dir, 'wide.csv'), `${Array.from({ length: 250 }, (_, i) => `c${i}`).join()}\n${Array.from({ length: 250 }, (_, i) => i).join()}\n`);
      const page = await tables.readRows(join(dir, 'wide.csv'), 'csv', { offset: 0, limit: 5 });
      expect([page.columns.length, page.columnsLeftOut, page.rows[0]?.at(-1)]).toEqual([200, 50, '199']);
    });

    it('many pages at once are read, and what is no Parquet is refused', async () => {
      writeFileSync(join(dir, 't.csv'), 'a\n1\n2\n3\n');
      writeFileSync(join(dir, 'broken.parquet'), 'not Parquet');
      const all = await Promise.allSettled([
        tables.readRows(join(dir, 'broken.parquet'), 'parquet', { offset: 0, limit: 1 }),
        ...[0, 1, 2, 0, 1, 2].map((offset) => tables.readRows(join(dir, 't.csv'), 'csv', { offset, limit: 1 })),
      ]);
      expect(all[0]).toMatchObject({ status: 'rejected', reason: { code: 'table_unreadable' } });
      expect(all.slice(1).map((one) => (one.status === 'fulfilled' ? one.value.rows[0]?.[0] : one.reason))).toEqual(['1', '2', '3', '1', '2', '3']);
    });

    it('streams chosen columns up to a limit; times are milliseconds, truth values 0 and 1, missing numbers NaN', async () => {
      writeFileSync(join(dir, 't.csv'), 'when,ok,n,s\n2001-02-03 04:05:06.789,true,1,x\n,,,\n2001-02-03,false,2.5,y\n');
      const source = await tables.open(join(dir, 't.csv'));
      const [all] = await Array.fromAsync(source.stream({ columns: ['n', 'when', 'ok', 's'] }));
      expect(all?.columns.map(({ name, values }) => [name, [...(values as Iterable<unknown>)]])).toEqual([
        ['n', [1, Number.NaN, 2.5]],
        ['when', [Date.UTC(2001, 1, 3, 4, 5, 6, 789), Number.NaN, Date.UTC(2001, 1, 3)]],
        ['ok', [1, Number.NaN, 0]],
        ['s', ['x', null, 'y']],
      ]);
      expect((await Array.fromAsync(source.stream({ limit: 2, columns: ['n'] })))[0]?.rows).toBe(2);
      await expect(Array.fromAsync(source.stream({ columns: ['nope'] }))).rejects.toMatchObject({ code: 'missing_column' });
      await source.close();
    });

    it('says what is wrong with a file that cannot be read', async () => {
      writeFileSync(join(dir, 'bad.parquet'), 'no parquet at all');
      await expect(tables.open(join(dir, 'bad.parquet'))).rejects.toMatchObject({
        kind: 'invalid',
        code: 'table_unreadable',
        message: expect.stringContaining('bad.parquet cannot be read as Parquet'),
      });
      await expect(tables.write(join(dir, 'no', 'such', 'x.csv'), 'csv', [table(1)])).rejects.toThrow();
      expect(existsSync(join(dir, 'no'))).toBe(false);
    });

    it('a location has a fingerprint that follows its files', async () => {
      mkdirSync(join(dir, 'in', 'b'), { recursive: true });
      writeFileSync(join(dir, 'in', 'a.csv'), 'x\n1\n');
      writeFileSync(join(dir, 'in', 'b', 'c.csv.gz'), '');
      writeFileSync(join(dir, 'in', '_SUCCESS'), '');
      writeFileSync(join(dir, 'in', 'notes.txt'), '');
      const first = await locateTable(join(dir, 'in'));
      expect(first.files.map(({ path }) => path.slice(dir.length + 1))).toEqual(['in/a.csv', 'in/b/c.csv.gz']);
      expect(fingerprintOf(await locateTable(join(dir, 'in')))).toBe(fingerprintOf(first));
      writeFileSync(join(dir, 'in', 'a.csv'), 'x\n1\n2\n');
      expect(fingerprintOf(await locateTable(join(dir, 'in')))).not.toBe(fingerprintOf(first));
    });
  });
}
