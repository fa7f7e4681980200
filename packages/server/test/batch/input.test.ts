import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BatchKit, columns, query } from '../support/batch.ts';
import { batchKitWithModels, sampleFile } from '../support/batch-models.ts';
import { graph, overTheBatch, value } from '../support/onnx-graphs.ts';

let kit: BatchKit;
beforeAll(async () => {
  kit = await batchKitWithModels();
});
afterAll(() => kit.close());
const sample = (format: 'csv' | 'jsonl' | 'parquet', rows?: number) => sampleFile(kit, format, rows);

describe('formats', () => {
  for (const from of ['csv', 'jsonl', 'parquet'] as const)
    for (const to of ['csv', 'jsonl', 'parquet'] as const)
      it(`${from} goes in and ${to} comes out, every row with its own prediction, in order`, async () => {
        const output = kit.path(`out-${from}-${to}`);
        const job = await kit.run({ model: 'mixed', input: await sample(from), output, outputFormat: to, chunkRows: 700 });
        expect(job).toMatchObject({ state: 'succeeded', rowsTotal: 2500, rowsDone: 2500, rowsFailed: 0, chunksTotal: 4, chunksDone: 4, error: null });
        expect(readdirSync(output).sort()).toEqual(['_SUCCESS', '_manifest.json', ...[0, 1, 2, 3].map((i) => `part-0000${i}.${to}`)]);
        let n = 0;
        for (let part = 0; part < 4; part++) {
          const scan = { csv: 'read_csv', jsonl: 'read_json', parquet: 'read_parquet' }[to];
          for (const row of await query(`SELECT * FROM ${scan}('${output}/part-0000${part}.${to}')`)) {
            expect(Number(row['n'])).toBe(n);
            expect(Number(row['total'])).toBeCloseTo(n / 4 + n * 1.5, 1);
            expect(row['word']).toBe(row['t']);
            expect(Number(row['again'])).toBe(n);
            expect(row['prediction_id']).toBe(`${job.id}:${n}`);
            n++;
          }
        }
        expect(n).toBe(2500);
      });

  it('a single file holds what the parts hold', async () => {
    for (const format of ['csv', 'jsonl', 'parquet'] as const) {
      const spec = { model: 'mixed', input: await sample('parquet'), outputFormat: format, chunkRows: 700, monitor: false };
      await kit.run({ ...spec, output: kit.path(`many-${format}`) });
      const job = await kit.run({ ...spec, output: kit.path(`one.${format}`), singleFile: true });
      expect(job.error).toBeNull();
      const scan = { csv: 'read_csv', jsonl: 'read_json', parquet: 'read_parquet' }[format];
      const one = await query(`SELECT * FROM ${scan}('${kit.path(`one.${format}`)}')`);
      expect(one).toHaveLength(2500);
      expect(one).toEqual(await query(`SELECT * FROM ${scan}('${kit.path(`many-${format}`)}/part-*.${format}') ORDER BY n`));
      expect(readdirSync(`${kit.path(`one.${format}`)}.parts`).sort()).toEqual(['_SUCCESS', '_manifest.json']);
      expect((await kit.batch.files(job.id)).map(({ kind }) => kind).sort()).toEqual(['manifest', 'marker', 'merged']);
    }
  });

  it('a folder of files is one table, whatever the chunks cut through', async () => {
    mkdirSync(kit.path('many', 'deep'), { recursive: true });
    mkdirSync(kit.path('many', '_ignored'), { recursive: true });
    for (let i = 0; i < 9; i++)
      await query(`COPY (SELECT range + ${i * 10} AS p, 0.5 AS q FROM range(10)) TO '${kit.path('many', i === 8 ? 'deep' : '', `f${i}.parquet`)}'`);
    writeFileSync(kit.path('many', '_ignored', 'x.parquet'), 'no');
    const job = await kit.run({ model: 'sum', input: kit.path('many'), output: kit.path('many-out'), chunkRows: 37 });
    expect(job.error).toBeNull();
    const rows = await query(
      `SELECT p, y FROM read_parquet('${kit.path('many-out')}/*.parquet', file_row_number = true) ORDER BY prediction_id.split(':')[2]::INT`,
    );
    expect(rows.map(({ y }) => Number(y)).sort((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, i) => i + 0.5));
    for (const part of [0, 1, 2]) {
      const own = (await query(`SELECT prediction_id AS id FROM '${kit.path('many-out')}/part-0000${part}.parquet'`)).map(({ id }) =>
        Number(String(id).split(':')[1]),
      );
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
    const glob = await kit.run({ model: 'sum', input: kit.path('many', 'f[0-3].parquet'), output: kit.path('glob-out') });
    expect(glob.rowsDone).toBe(40);
  });

  it('an empty input gives an empty part with the right columns', async () => {
    for (const [name, content] of [['empty.csv', 'p,q\n']] as const) {
      const job = await kit.run({ model: 'sum', input: kit.file(name, content), output: kit.path(`out-${name}`), outputFormat: 'parquet' });
      expect(job).toMatchObject({ state: 'succeeded', rowsTotal: 0, rowsDone: 0, chunksDone: 1 });
      expect((await query(`DESCRIBE SELECT * FROM '${kit.path(`out-${name}`)}/part-00000.parquet'`)).map((row) => row['column_name'])).toEqual([
        'p',
        'q',
        'prediction_id',
        'y',
      ]);
    }
  });

  it('columns of any name go in and out; a taken output name is prefixed', async () => {
    const name = 'ÿ – weird "name"';
    const input = kit.path('unicode.parquet');
    await query(`COPY (SELECT 1.5 AS x, 2.5 AS "${name.replaceAll('"', '""')}", 'y' AS y_0, 'naïve 日本' AS "日本 🚢") TO '${input}'`);
    const job = await kit.run({ model: 'pair', input, output: kit.path('unicode-out'), columns: ['日本 🚢', 'y_0'], monitor: false });
    expect(job.error).toBeNull();
    expect(await query(`FROM '${kit.path('unicode-out')}/part-00000.parquet'`)).toEqual([{ '日本 🚢': 'naïve 日本', y_0: 'y', predicted_y_0: 1.5, y_1: 2.5 }]);
  });

  it('a model without named columns takes the columns in their order', async () => {
    const job = await kit.run({ model: 'anything', input: kit.file('any.csv', 'c,b,a\n1,2,3\n'), output: kit.path('any-out') });
    expect((await query(`FROM '${kit.path('any-out')}/part-00000.csv'`))[0]).toMatchObject({ y: 6 });
    expect(job.state).toBe('succeeded');
    await expect(kit.create({ model: 'anything', input: kit.file('any2.csv', 'c,b\n1,2\n'), output: kit.path('any2-out') })).rejects.toMatchObject({
      code: 'wrong_columns',
    });
  });
});

describe('SQL', () => {
  it('select makes features, where picks rows, and raw columns pass through', async () => {
    const input = await sample('parquet');
    const job = await kit.run({
      model: 'sum',
      input,
      output: kit.path('sql-out'),
      chunkRows: 900,
      select: `a * 2 AS p, length(t) AS q, hour(seen) AS extra -- a comment`,
      where: 'n % 3 = 0 OR n < 5',
      columns: ['n', 't'],
    });
    expect(job.error).toBeNull();
    const expected = await query(`SELECT n, a * 2 + length(t) AS y FROM '${input}' WHERE n % 3 = 0 OR n < 5 ORDER BY n`);
    const rows = await query(`SELECT n, y, prediction_id FROM '${kit.path('sql-out')}/part-*.parquet' ORDER BY n`);
    expect(rows.map(({ n }) => n)).toEqual(expected.map(({ n }) => n));
    for (const [i, row] of rows.entries()) expect(Number(row['y'])).toBeCloseTo(Number(expected[i]?.['y']), 2);
    expect(job).toMatchObject({ rowsTotal: expected.length, rowsDone: expected.length });
  });

  it('chunks that no row is left of leave no empty parts; a job that is left with no row at all leaves one, with its columns', async () => {
    const input = await sample('parquet');
    const picked = await kit.run({
      model: 'sum',
      input,
      output: kit.path('few-out'),
      chunkRows: 500,
      select: 'a AS p, n AS q',
      where: 'n BETWEEN 1200 AND 1210',
    });
    expect(picked).toMatchObject({ state: 'succeeded', rowsDone: 11 });
    expect((await kit.batch.files(picked.id)).filter(({ kind }) => kind === 'part').map(({ name, rows }) => [name, rows])).toEqual([
      ['part-00002.parquet', 11],
    ]);
    const none = await kit.run({
      model: 'sum',
      input,
      output: kit.path('none.parquet'),
      singleFile: true,
      chunkRows: 500,
      select: 'a AS p, n AS q',
      where: 'n < 0',
    });
    expect(none).toMatchObject({ state: 'succeeded', rowsDone: 0 });
    expect((await query(`DESCRIBE SELECT * FROM '${kit.path('none.parquet')}'`)).map((row) => row['column_name'])).toContain('y');
  });

  it('reaches nothing but the row', async () => {
    const input = await sample('csv');
    const secret = kit.file('secret.csv', 'x\n1\n');
    const refused = async (spec: { select?: string; where?: string }, code: string) =>
      await expect(kit.create({ model: 'sum', input, output: kit.path('no'), ...spec }), JSON.stringify(spec)).rejects.toMatchObject({ kind: 'invalid', code });
    for (const select of [
      '1 AS p, (SELECT 1) AS q',
      `p FROM read_csv('${secret}')`,
      'sum(a) AS p, 1 AS q',
      'row_number() OVER () AS p, 1 AS q',
      'random() AS p, 1 AS q',
      'DISTINCT a AS p, b AS q',
      '1 AS p, 2 AS q UNION ALL SELECT 3, 4',
    ])
      await refused({ select }, select.includes('FROM read') ? 'sql_invalid' : 'sql_not_allowed');
    await refused({ select: 'a AS p, nothing AS q' }, 'sql_invalid');
    await refused({ select: 'a AS p, b AS q; DROP TABLE input' }, 'sql_invalid');
    await refused({ where: `true) UNION ALL (SELECT 1` }, 'sql_not_allowed');
    await refused({ where: `a IN (SELECT x FROM read_csv('${secret}'))` }, 'sql_not_allowed');
    expect(existsSync(kit.path('no'))).toBe(false);
  });
});

describe('bad input', () => {
  const refused = (spec: Parameters<BatchKit['create']>[0]) => expect(kit.create(spec)).rejects;

  it('a missing column is named before anything is written', async () => {
    const output = kit.path('missing-out');
    await refused({ model: 'mixed', input: kit.file('missing.csv', 'a,t,other\n1,x,2\n'), output }).toMatchObject({
      kind: 'invalid',
      code: 'missing_column',
      message: expect.stringMatching(/'b', 'n'.*'a', 't', 'other'/),
    });
    await refused({ model: 'mixed', input: await sample('csv'), output, columns: ['a', 'nope'] }).toMatchObject({ code: 'missing_column' });
    await refused({ model: 'mixed', input: await sample('csv'), output, timestampColumn: 'nope' }).toMatchObject({ code: 'missing_column' });
    expect(existsSync(output)).toBe(false);
  });

  it('unknown models, absent or unreadable inputs, wrong types and formats are said at once', async () => {
    const output = kit.path('refused-out');
    const input = await sample('csv');
    await refused({ model: 'nobody', input, output }).toMatchObject({ kind: 'not_found' });
    await refused({ model: 'mixed', input: kit.path('nothing.csv'), output }).toMatchObject({ code: 'input_not_found' });
    await refused({ model: 'mixed', input: 's3://bucket/x.csv', output }).toMatchObject({ kind: 'unsupported' });
    await refused({ model: 'mixed', input: kit.file('odd.bin', 'x'), output }).toMatchObject({ code: 'input_format_unknown' });
    await refused({ model: 'mixed', input: kit.file('broken.parquet', 'PAR1 not really'), output }).toMatchObject({ code: 'table_unreadable' });
    await refused({ model: 'sum', input: await sample('parquet'), output, select: 'seen AS p, a AS q' }).toMatchObject({
      code: 'column_type',
      message: expect.stringContaining("'p' is a TIMESTAMP"),
    });
    await refused({ model: 'mixed', input: kit.path(), output: kit.path('x') }).toMatchObject({ code: 'input_formats_mixed' });
    await refused({ model: 'mixed', input, output: kit.path() }).toMatchObject({ code: 'batch_output_is_input' });
  });

  it('nulls are NaN for a float and a bad row for what cannot be missing; the errors file says which and why', async () => {
    const input = kit.path('nulls.parquet');
    await query(
      `COPY (SELECT * FROM (VALUES (1.0, 1.0, 1, 'x'), (NULL, 2.0, 2, 'y'), (3.0, 3.0, NULL, 'z'), (4.0, 4.0, 4, NULL), (5.0, 5.0, 5, 'v')) v(a, b, n, t)) TO '${input}'`,
    );
    const strict = await kit.run({ model: 'mixed', input, output: kit.path('nulls-strict') });
    expect(strict).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/2 of 5 rows.*maxErrorRate = 0.*row 2 .*nulls\.parquet: column "n" is missing/),
    });
    expect(existsSync(kit.path('nulls-strict', '_SUCCESS'))).toBe(false);

    const output = kit.path('nulls-out');
    const job = await kit.run({ model: 'mixed', input, output, maxErrorRate: 0.5, chunkRows: 3 });
    expect(job).toMatchObject({ state: 'succeeded', rowsTotal: 5, rowsDone: 5, rowsFailed: 2 });
    expect((await query(`SELECT n, total FROM '${output}/part-*.parquet' ORDER BY b`)).map((row) => [row['n'], String(row['total'])])).toEqual([
      [1, '2'],
      [2, 'NaN'],
      [5, '10'],
    ]);
    const errors = (await kit.batch.files(job.id))
      .filter(({ kind }) => kind === 'errors')
      .flatMap(({ name }) =>
        readFileSync(join(output, name), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      );
    expect(errors).toEqual([
      { row: 2, file: expect.stringContaining('nulls.parquet'), file_row: 2, message: 'column "n" is missing' },
      { row: 3, file: expect.stringContaining('nulls.parquet'), file_row: 3, message: 'column "t" is missing' },
    ]);
  });

  it('odd values in text are bad rows one by one; lines that are no rows are rejected with their line numbers', async () => {
    const lines = ['a,b,n,t', ...Array.from({ length: 30_000 }, (_, i) => `${i},${i},${i},x`)];
    lines[25_001] = '1,oops,1,x';
    lines[25_002] = '1,2,2.5,x';
    lines[25_003] = '1,2,3,x,too many';
    lines[25_004] = ',,4,x';
    const output = kit.path('odd-out');
    const job = await kit.run({ model: 'mixed', input: kit.file('odd.csv', `${lines.join('\n')}\n`), output, maxErrorRate: 0.01, outputFormat: 'parquet' });
    expect(job.error).toBeNull();
    expect(job).toMatchObject({ rowsTotal: 30_000, rowsDone: 30_000, rowsFailed: 3 });
    const read = (name: string) =>
      readFileSync(join(output, '_errors', name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { message: string; line?: number });
    expect(read('part-00000.jsonl').map(({ message }) => message)).toEqual([
      'column "b" holds oops, which is no number',
      expect.stringMatching(/column "n" holds 2\.5, which is no whole number/),
    ]);
    expect(read('input.jsonl')).toEqual([
      { file: expect.stringContaining('odd.csv'), line: 25_004, message: expect.stringContaining('Columns'), text: '1,2,3,x,too many' },
    ]);
  });

  it('of a file that is broken throughout every line counts, though only the first 10,000 are listed', async () => {
    const broken = { csv: (i: number) => `${i},1,1,x,too many`, jsonl: (i: number) => `{"a":${i},` };
    const whole = { csv: (i: number) => `${i},1,1,x`, jsonl: (i: number) => `{"a":${i},"b":1,"n":1,"t":"x"}` };
    for (const format of ['csv', 'jsonl'] as const) {
      const lines = Array.from({ length: 30_000 }, (_, i) => (i < 100 || i % 2 === 0 ? whole : broken)[format](i));
      const input = kit.file(`broken.${format}`, `${format === 'csv' ? 'a,b,n,t\n' : ''}${lines.join('\n')}\n`);
      const bad = 14_950;
      const output = kit.path(`broken-${format}`);
      expect(await kit.run({ model: 'mixed', input, output, maxErrorRate: 0.45 })).toMatchObject({
        state: 'failed',
        error: expect.stringMatching(/14950 of 30000 rows cannot be predicted/),
      });
      const job = await kit.run({ model: 'mixed', input, output, maxErrorRate: 0.5, overwrite: true });
      expect(job, job.error ?? '').toMatchObject({ state: 'succeeded', rowsTotal: 30_000, rowsDone: 30_000, rowsFailed: bad });
      const listed = readFileSync(join(output, '_errors', 'input.jsonl'), 'utf8')
        .trim()
        .split('\n');
      expect(listed).toHaveLength(10_001);
      expect(JSON.parse(listed.at(-1) as string)).toEqual({ message: expect.stringContaining('Only 10000 of the 14950'), rejected: bad, listed: 10_000 });
    }
  });

  it('a column whose type changes only after ten thousand broken lines is widened all the same', async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => (i >= 25_000 && i < 40_000 ? `${i},1,1,x,too many` : i === 49_000 ? '1,1,1.0,x' : `${i},1,1,x`));
    const job = await kit.run({
      model: 'mixed',
      input: kit.file('late.csv', `a,b,n,t\n${lines.join('\n')}\n`),
      output: kit.path('late-out'),
      maxErrorRate: 0.4,
      outputFormat: 'parquet',
    });
    expect(job, job.error ?? '').toMatchObject({ state: 'succeeded', rowsTotal: 50_000, rowsFailed: 15_000 });
    expect(await query(`SELECT count(*) AS rows FROM '${kit.path('late-out')}/*.parquet'`)).toEqual([{ rows: '35000' }]);
  });

  it('broken JSON lines are rejected, and other types than the first lines had are told apart', async () => {
    const input = kit.file(
      'odd.jsonl',
      '{"a":1,"b":1,"n":1,"t":"x"}\n{"a":1,\n{"a":"many","b":1,"n":2,"t":"y"}\n\n{"a":3,"b":3,"n":3,"t":"z","more":{"deep":[1]}}\n',
    );
    const output = kit.path('oddjson-out');
    const job = await kit.run({ model: 'mixed', input, output, maxErrorRate: 0.6 });
    expect(job.error).toBeNull();
    expect(job).toMatchObject({ rowsTotal: 4, rowsFailed: 2 });
    const rows = readFileSync(join(output, 'part-00000.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ total, more }) => [total, more])).toEqual([
      [2, null],
      [6, { deep: [1] }],
    ]);
    expect(JSON.parse(readFileSync(join(output, '_errors', 'input.jsonl'), 'utf8'))).toMatchObject({ line: 2, message: 'is not JSON' });
  });

  it('rows that the model itself rejects are found by halving', async () => {
    const table = graph({
      nodes: [{ opType: 'Gather', input: ['table', 'i'], output: ['y'] }],
      inputs: [value('i', 'INT64', ['N'])],
      outputs: [value('y', 'FP32', ['N'])],
      weights: [{ name: 'table', dims: [4], dataType: 1, floatData: [10, 11, 12, 13] }],
    });
    await kit.registry.add('lookup', table, columns('i:long'));
    const bad = new Set([17, 18, 900]);
    const input = kit.file('lookup.csv', `i,keep\n${Array.from({ length: 1000 }, (_, i) => `${bad.has(i) ? 99 : i % 4},${i}`).join('\n')}\n`);
    const output = kit.path('lookup-out');
    const job = await kit.run({ model: 'lookup', input, output, maxErrorRate: 0.01, chunkRows: 400, outputFormat: 'parquet' });
    expect(job).toMatchObject({ state: 'succeeded', rowsFailed: 3, rowsDone: 1000 });
    const rows = await query(`SELECT keep, y FROM '${output}/part-*.parquet' ORDER BY keep`);
    expect(rows).toHaveLength(997);
    for (const row of rows) expect(row['y']).toBe(10 + (Number(row['keep']) % 4));
    const strict = await kit.run({ model: 'lookup', input, output: kit.path('lookup-strict') });
    expect(strict).toMatchObject({ state: 'failed', error: expect.stringContaining('rejected') });
  });

  it('a model that mixes its rows up is refused rather than misread', async () => {
    await kit.registry.add('mean', overTheBatch(), columns('x', 'y'));
    const narrow = graph({
      nodes: [{ opType: 'ReduceMean', input: ['x'], output: ['m'], attribute: [{ name: 'axes', type: 7, ints: [0] }] }],
      inputs: [value('x', 'FP32', ['N', 2])],
      outputs: [value('m', 'FP32', ['M', 2])],
    });
    await kit.registry.add('narrow', narrow, columns('x', 'y'));
    const job = await kit.run({ model: 'narrow', input: kit.file('narrow.csv', 'x,y\n1,2\n3,4\n'), output: kit.path('narrow-out') });
    expect(job).toMatchObject({ state: 'failed', error: expect.stringContaining('one row a row') });
  });
});
