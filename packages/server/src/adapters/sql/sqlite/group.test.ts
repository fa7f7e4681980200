import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { commitGroup } from './group.ts';

/** A database that has room for few pages: an insert of a long text finds it full, and SQLite rolls the transaction back by itself. */
function smallDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec('PRAGMA page_size = 512; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT NOT NULL)');
  const { page_count } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${page_count + 8}`);
  return db;
}

function commit(db: DatabaseSync, texts: string[]) {
  const events: number[] = [];
  const results = commitGroup(
    db,
    texts.map((text, id) => ({ id, text })),
    {
      begin: 'BEGIN IMMEDIATE',
      async run({ id, text }) {
        if (text === 'bad') throw new Error('bad request');
        db.prepare('INSERT INTO t (id, text) VALUES (?, ?)').run(id, text);
        events.push(id);
        return id;
      },
      mark: () => events.length,
      undo: (mark) => void (events.length = mark),
    },
  );
  const rows = () =>
    db
      .prepare('SELECT id FROM t ORDER BY id')
      .all()
      .map(({ id }) => Number(id));
  return results.then((all) => ({ all: all.sort((a, b) => a.id - b.id), events, rows: rows() }));
}

it('a request that fails undoes only itself', async () => {
  const { all, events, rows } = await commit(smallDatabase(), ['a', 'bad', 'c']);
  expect(all).toEqual([
    { id: 0, value: 0 },
    { id: 1, error: new Error('bad request') },
    { id: 2, value: 2 },
  ]);
  expect([events, rows]).toEqual([
    [0, 2],
    [0, 2],
  ]);
});

it('a full disk fails the request that met it, with its own error; its neighbours are written', async () => {
  const { all, events, rows } = await commit(smallDatabase(), ['a', 'x'.repeat(100_000), 'c', 'bad', 'y'.repeat(100_000), 'd']);
  const full = expect.objectContaining({ errcode: 13, message: expect.stringContaining('full') });
  expect(all).toEqual([
    { id: 0, value: 0 },
    { id: 1, error: full },
    { id: 2, value: 2 },
    { id: 3, error: new Error('bad request') },
    { id: 4, error: full },
    { id: 5, value: 5 },
  ]);
  expect([events, rows]).toEqual([
    [0, 2, 5],
    [0, 2, 5],
  ]);
});
