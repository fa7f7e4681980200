import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchAccess } from '../../src/compose/batch-access.ts';
import { locateTable, staticPrefix } from '../../src/tables/index.ts';
import { type BatchKit, batchKit, columns } from '../support/batch.ts';
import { sum } from '../support/onnx-graphs.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'binnacle-access-'));
const on = (host: string, roots?: string[]) => batchAccess({ dataDir, host, batch: { workers: 1, roots } });
const at = (...names: string[]) => join(dataDir, ...names);

describe('which paths batch jobs may use', () => {
  it('on loopback anything of the user, beyond it the folder tables/ of the data directory, which is made', async () => {
    const file = join(tmpdir(), 'anywhere.csv');
    expect(await on('127.0.0.1').check(file)).toContain('anywhere.csv');
    expect(existsSync(at('tables'))).toBe(false);
    for (const path of [file, at('demo', 'x'), dataDir])
      await expect(on('0.0.0.0').check(path)).rejects.toMatchObject({
        kind: 'denied',
        code: 'path_outside_roots',
        message: expect.stringMatching(/may use \(.*tables\).*--batch-root/),
      });
    expect(existsSync(at('tables'))).toBe(true);
    expect(await on('0.0.0.0').check(at('tables', 'in.csv'))).toContain('in.csv');
  });

  it('the server’s own files never, however they are named', async () => {
    mkdirSync(at('artifacts', 'deep'), { recursive: true });
    writeFileSync(at('binnacle.db'), 'database');
    symlinkSync(dataDir, `${dataDir}-link`);
    const paths = ['binnacle.db', 'binnacle.db-wal', 'binnacle.db.parts', 'owner.lock', 'owner.json', 'artifacts', 'artifacts/deep/x.parquet'];
    for (const path of [...paths, 'artifacts/../artifacts/x', 'monitoring/segments/a.parquet', 'batch/job/in.parquet', 'Binnacle.DB'])
      for (const access of [on('127.0.0.1'), on('0.0.0.0', [dataDir]), on('127.0.0.1', ['/'])])
        for (const base of [dataDir, `${dataDir}-link`])
          await expect(access.check(`${base}/${path}`), path).rejects.toMatchObject({
            kind: 'denied',
            code: 'path_reserved',
            message: expect.stringContaining(at('tables')),
          });
    for (const path of ['tables/x', 'demo/april-predictions', 'binnacled', 'artifacts2/x', 'batch.csv']) await on('127.0.0.1').check(at(path));
  });

  it('what is outside is refused in one way, be it there or not, a file or a folder', async () => {
    const messages = await Promise.all(
      ['/etc/passwd', '/etc/passwd/x', '/etc/nothing', '/etc', `/${'x'.repeat(300)}`, '/etc/\0'].map((path) =>
        on('0.0.0.0')
          .check(path)
          .catch((error: Error & { code: string }) => `${error.code} ${error.message.replace(path, 'PATH')}`),
      ),
    );
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).toMatch(/^path_outside_roots /);
  });
});

describe('a job', () => {
  let kit: BatchKit;
  beforeAll(async () => {
    kit = await batchKit({ access: on('127.0.0.1') });
    await kit.registry.add('sum', sum(2), columns('p', 'q'));
  });
  afterAll(() => kit.close());

  it('is refused an input outside before anything of it is looked at', async () => {
    const walled = await batchKit({ access: on('0.0.0.0') });
    await walled.registry.add('sum', sum(2), columns('p', 'q'));
    const output = at('tables', 'out');
    for (const input of ['/', '/etc', '/etc/passwd', '/etc/nothing', '/etc/*.conf', '/**/*.csv', '/etc/{a,b}/*', at('artifacts'), kit.path()])
      await expect(walled.create({ model: 'sum', input, output }), input).rejects.toMatchObject({ code: 'path_outside_roots' });
    writeFileSync(at('secret.csv'), 'p,q\n1,2\n');
    for (const [input, code] of [
      [`${at('tables')}/*/../../*.csv`, 'path_outside_roots'],
      [`${at('tables')}/{x,../secret.csv}`, 'input_glob'],
      [`${at('tables')}/{.,x}./secret.csv`, 'input_not_found'],
      [`${at('tables')}/.{.,x}/*.csv`, 'input_not_found'],
      [`${at('tables')}/{.,x}./**/*.csv`, 'input_not_found'],
    ] as const)
      await expect(walled.create({ model: 'sum', input, output }), input).rejects.toMatchObject({ code });
    await walled.close();
  });

  it('neither reads nor writes the server’s files', async () => {
    const input = kit.file('in.csv', 'p,q\n1,2\n');
    const single = { model: 'sum', input, singleFile: true, overwrite: true };
    await expect(kit.create({ ...single, output: at('binnacle.db') })).rejects.toMatchObject({ code: 'path_reserved' });
    await expect(kit.create({ ...single, output: at('artifacts', 'model.csv') })).rejects.toMatchObject({ code: 'path_reserved' });
    expect(readFileSync(at('binnacle.db'), 'utf8')).toBe('database');
    writeFileSync(at('artifacts', 'deep', 'in.csv'), 'p,q\n1,2\n');
    for (const path of [at('artifacts'), `${dataDir}/*/deep/*.csv`, dataDir])
      await expect(kit.create({ model: 'sum', input: path, output: kit.path('no') }), path).rejects.toMatchObject({ code: 'path_reserved' });
  });

  it('overwrites one file only when it is a table or an earlier job’s', async () => {
    const spec = { model: 'sum', input: kit.file('one.csv', 'p,q\n1,2\n'), singleFile: true, overwrite: true };
    for (const name of ['.bashrc', 'notes', 'photo.jpg']) {
      const output = kit.file(name, 'mine');
      await expect(kit.create({ ...spec, output })).rejects.toMatchObject({ kind: 'conflict', code: 'batch_output_foreign' });
      expect(readFileSync(output, 'utf8')).toBe('mine');
    }
    expect(await kit.run({ ...spec, output: kit.file('old.csv', 'old') })).toMatchObject({ state: 'succeeded' });
    for (let i = 0; i < 2; i++) expect(await kit.run({ ...spec, output: kit.path('scores') })).toMatchObject({ state: 'succeeded' });
    expect(readFileSync(kit.path('scores'), 'utf8')).toContain('p,q');
  });
});

describe('the files behind an input', () => {
  it('are searched from the last folder before a wildcard', () => {
    expect(staticPrefix('/a/b/c.csv')).toBe('/a/b/c.csv');
    expect(staticPrefix('/a/b/*.csv')).toBe('/a/b');
    expect(staticPrefix('/a/b*/c/*.csv')).toBe('/a');
    expect(staticPrefix('/*')).toBe('/');
    expect(staticPrefix('/a/x/../b/{c,d}')).toBe('/a/b');
    expect(staticPrefix('/a/[.]../b..c/*')).toBe('/a');
    for (const bad of ['/a/{b,../c}', '/a/{..,b}/c', '/a/*/@(..|b)/c']) expect(() => staticPrefix(bad), bad).toThrow("holds '..'");
  });

  it('are so many at most, and links to folders are not followed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'binnacle-files-'));
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    for (const name of ['a/1.csv', 'a/b/2.csv', 'a/b/3.csv']) writeFileSync(join(folder, name), 'x\n1\n');
    symlinkSync(folder, join(folder, 'a', 'loop'));
    symlinkSync(join(folder, 'a', '1.csv'), join(folder, 'a', 'b', '4.csv'));
    symlinkSync(join(folder, 'a'), join(folder, 'named'));
    const names = async (location: string, limits = {}) => (await locateTable(location, 'auto', limits)).files.map(({ path }) => path.slice(folder.length + 1));
    const all = ['a/1.csv', 'a/b/2.csv', 'a/b/3.csv', 'a/1.csv'];
    for (const location of [folder, `${folder}/**/*.csv`, `${folder}/named`, `${folder}/named/**/*.csv`]) expect(await names(location), location).toEqual(all);
    for (const location of [folder, `${folder}/**/*.csv`])
      for (const limits of [{ files: 3 }, { names: 3 }])
        await expect(names(location, limits), location).rejects.toMatchObject({ kind: 'invalid', code: 'input_too_many_files' });
  });
});
