import { expect, it } from 'vitest';
import { parseDatabaseUrl } from './database-url.ts';

it('a URL names a server, and its place has no password', () => {
  expect(parseDatabaseUrl('postgres://ann:p%40ss%2Fword@db.example:6432/team?sslmode=verify-full')).toEqual({
    kind: 'postgres',
    host: 'db.example',
    port: 6432,
    user: 'ann',
    password: 'p@ss/word',
    database: 'team',
    tls: 'verified',
    place: 'postgres://ann@db.example:6432/team',
  });
  expect(parseDatabaseUrl('mariadb://[::1]/team')).toMatchObject({ kind: 'mysql', host: '::1', port: 3306, user: undefined, tls: 'off' });
});

it.each([
  ['oracle://u:secret@h/d', 'begins with oracle:// and Binnacle knows postgres:// and mysql://'],
  ['postgres://u:sec/ret@h/d', 'cannot be read'],
  ['postgres://u:secret@h', 'names no database'],
  ['postgres:///d', 'names no host'],
  ['postgres://u:secret%@h/d', 'has a % that encodes nothing'],
  ['postgres://u:secret@h/d?password=secret', 'has the option password; the only one is sslmode'],
  ['mysql://u:secret@h/d?sslmode=maybe', 'says sslmode=maybe'],
])('%s is refused and not quoted', (url, message) => {
  expect(() => parseDatabaseUrl(url)).toThrow(message);
  expect(() => parseDatabaseUrl(url)).not.toThrow(/secret|sec\/ret/);
});
