import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A database server of its own in a temporary folder. */
export interface DatabaseProcess {
  /** A URL with a new, empty database. */
  createDatabase(name?: string): string;
  /** Removes a database that nobody is connected to, if there is one of that name. */
  dropDatabase(name: string): void;
  /** Runs a statement as the administrator. */
  admin(statement: string, database?: string): void;
  /** A URL of the server with these in the place of its own. */
  url(parts?: { user?: string; password?: string; database?: string; port?: number }): string;
  /** Stops it at once, as a crash of the machine would, or by another signal, and starts it on the same port and files. */
  restart(pauseMs?: number, signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

const PASSWORD = 'pass@word/1';

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Both refuse to run as root, or need to be told who they are: then they run as the user that their Debian package made. */
function owner(name: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

interface Kind {
  scheme: string;
  user: string;
  /** Writes the files of a new server. */
  init(dir: string, as: object): void;
  start(dir: string, port: number): { program: string; argv: string[] };
  /** Runs a statement as the administrator, without a password. */
  admin(dir: string, port: number, statement: string, database?: string): { program: string; argv: string[] };
}

/** `kept`: a folder whose server goes on with what it had the last time; it must be empty the first time. */
async function startKind(kind: Kind, kept?: string): Promise<DatabaseProcess> {
  const dir = kept ?? mkdtempSync(join(tmpdir(), `binnacle-${kind.scheme}-`));
  const as = owner(kind.scheme) ?? {};
  if ('uid' in as) {
    const { uid, gid } = as as { uid: number; gid: number };
    chownSync(dir, uid, gid);
  }
  chmodSync(dir, 0o700);
  const port = await freePort();
  if (!existsSync(join(dir, 'data'))) kind.init(dir, as);
  let child: ChildProcess | undefined;
  const admin = (statement: string, database?: string) => {
    const { program, argv } = kind.admin(dir, port, statement, database);
    execFileSync(program, argv, { ...as, cwd: dir, stdio: 'pipe' });
  };
  const start = async () => {
    const { program, argv } = kind.start(dir, port);
    child = spawn(program, argv, { ...as, cwd: dir, stdio: 'ignore' });
    for (let tries = 0; ; tries++) {
      try {
        return admin('select 1');
      } catch (error) {
        if (tries > 1200 || child.exitCode !== null) throw error;
        await sleep(100);
      }
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  try {
    await start();
  } catch (error) {
    await end('SIGKILL');
    if (kept === undefined) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  admin(`alter user ${kind.user} ${kind.scheme === 'postgres' ? `with password '${PASSWORD}'` : `identified by '${PASSWORD}'`}`);
  const url: DatabaseProcess['url'] = (parts = {}) =>
    `${kind.scheme}://${parts.user ?? kind.user}:${encodeURIComponent(parts.password ?? PASSWORD)}@127.0.0.1:${parts.port ?? port}/${parts.database ?? 'nothing'}`;
  let databases = 0;
  return {
    url,
    admin,
    dropDatabase: (name) => admin(`drop database if exists ${name}`),
    createDatabase(name) {
      const database = name ?? `binnacle_${++databases}`;
      admin(`create database ${database}`);
      if (kind.scheme === 'mysql') admin(`grant all on ${database}.* to ${kind.user}`);
      return url({ database });
    },
    async restart(pauseMs = 0, signal = 'SIGKILL') {
      await end(signal);
      await sleep(pauseMs);
      await start();
    },
    async stop() {
      // A server that is kept writes all it has; PostgreSQL's SIGQUIT would have it recover the next time.
      await end(kind.scheme === 'mysql' ? 'SIGTERM' : kept === undefined ? 'SIGQUIT' : 'SIGINT');
      if (kept === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Debian keeps PostgreSQL's programs by version and off the path. */
const postgresProgram = (name: string): string => globSync(`/usr/lib/postgresql/*/bin/${name}`).sort().at(-1) ?? name;

/** A PostgreSQL whose default locale does not sort by bytes, where there is one, with its own defaults. */
export const startPostgres = (kept?: string): Promise<DatabaseProcess> => startKind(POSTGRES, kept);

const POSTGRES: Kind = {
  scheme: 'postgres',
  user: 'postgres',
  init(dir, as) {
    const argv = ['-D', join(dir, 'data'), '-U', 'postgres', '--auth-local=trust', '--auth-host=scram-sha-256', '-E', 'UTF8', '--locale=C.UTF-8'];
    execFileSync(postgresProgram('initdb'), [...argv, '--no-sync', '--locale-provider=icu', '--icu-locale=en'], { ...as, cwd: dir, stdio: 'pipe' });
  },
  start: (dir, port) => ({
    program: postgresProgram('postgres'),
    argv: ['-D', join(dir, 'data'), '-k', dir, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
  }),
  admin: (dir, port, statement, database = 'postgres') => ({
    program: postgresProgram('psql'),
    argv: ['-h', dir, '-p', String(port), '-U', 'postgres', '-d', database, '-qc', statement],
  }),
};

/** A MariaDB with its own defaults. */
export const startMariadb = (): Promise<DatabaseProcess> =>
  startKind({
    scheme: 'mysql',
    user: 'binnacle',
    init(dir, as) {
      const program = existsSync('/usr/bin/mariadb-install-db') ? '/usr/bin/mariadb-install-db' : 'mariadb-install-db';
      const argv = [
        '--no-defaults',
        `--datadir=${join(dir, 'data')}`,
        '--auth-root-authentication-method=socket',
        `--auth-root-socket-user=${'uid' in as ? 'mysql' : userInfo().username}`,
        '--skip-test-db',
      ];
      // Servers that are made at the same time must not share a folder for temporary files: they remove each other's.
      execFileSync(program, argv, { ...as, cwd: dir, stdio: 'pipe', env: { ...process.env, TMPDIR: dir } });
    },
    start: (dir, port) => ({
      program: '/usr/sbin/mariadbd',
      argv: [
        '--no-defaults',
        `--datadir=${join(dir, 'data')}`,
        `--socket=${join(dir, 'socket')}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--pid-file=${join(dir, 'pid')}`,
        `--tmpdir=${dir}`,
        '--character-set-server=latin1',
        '--skip-name-resolve',
      ],
    }),
    admin: (dir, _port, statement) => ({
      program: 'mariadb',
      argv: [
        '--no-defaults',
        `--socket=${join(dir, 'socket')}`,
        '-e',
        statement.startsWith('alter user') ? `create user if not exists binnacle; ${statement}` : statement,
      ],
    }),
  });
