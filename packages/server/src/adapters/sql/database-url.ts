import { invalid } from '../../kernel/index.ts';

/** A database server, as its URL names it. */
export interface DatabaseServer {
  kind: 'postgres' | 'mysql';
  host: string;
  port: number;
  user: string | undefined;
  password: string | undefined;
  database: string;
  tls: 'off' | 'unverified' | 'verified';
  /** Without the password. */
  place: string;
}

const KINDS: Record<string, { kind: DatabaseServer['kind']; port: number }> = {
  'postgres:': { kind: 'postgres', port: 5432 },
  'postgresql:': { kind: 'postgres', port: 5432 },
  'mysql:': { kind: 'mysql', port: 3306 },
  'mariadb:': { kind: 'mysql', port: 3306 },
};
const TLS: Record<string, DatabaseServer['tls']> = { disable: 'off', require: 'unverified', 'verify-ca': 'verified', 'verify-full': 'verified' };

const FORM = 'postgres://user:password@host:5432/database or mysql://user:password@host:3306/database';
// No message quotes the URL: it holds a password.
const wrong = (what: string) => invalid('database_url', `The database URL ${what}. It is ${FORM}; signs such as @, : and / in a password are percent-encoded.`);

/** Reads a database URL; `?sslmode=disable|require|verify-full` is the only option. */
export function parseDatabaseUrl(text: string): DatabaseServer {
  if (!URL.canParse(text)) throw wrong('cannot be read');
  const url = new URL(text);
  const known = KINDS[url.protocol];
  if (known === undefined)
    throw invalid('database_url', `The database URL begins with ${url.protocol}// and Binnacle knows postgres:// and mysql:// (without one: SQLite).`);
  if (url.hostname === '') throw wrong('names no host');
  const database = decoded(url.pathname.slice(1));
  if (database === '' || database.includes('/')) throw wrong('names no database');
  for (const option of url.searchParams.keys())
    if (option !== 'sslmode') throw invalid('database_url', `The database URL has the option ${option}; the only one is sslmode.`);
  const mode = url.searchParams.get('sslmode') ?? 'disable';
  const tls = TLS[mode];
  if (tls === undefined) throw invalid('database_url', `The database URL says sslmode=${mode}; it is one of ${Object.keys(TLS).join(', ')}.`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? known.port : Number(url.port);
  const user = url.username === '' ? undefined : decoded(url.username);
  return {
    kind: known.kind,
    host,
    port,
    user,
    password: url.password === '' ? undefined : decoded(url.password),
    database,
    tls,
    place: `${known.kind}://${user === undefined ? '' : `${url.username}@`}${url.hostname}:${port}/${url.pathname.slice(1)}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a % that encodes nothing');
  }
}
