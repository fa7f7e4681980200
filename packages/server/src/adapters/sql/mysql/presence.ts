import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'mysql2';
import { unavailable } from '../../../kernel/index.ts';
import type { DatabaseServer } from '../database-url.ts';
import type { PresenceSession } from '../pooled/presence.ts';

/** Locks by name belong to the whole server, so names tell the database. */
export const lockName = ({ database }: DatabaseServer): string => `binnacle ${createHash('sha256').update(database).digest('hex').slice(0, 32)}`;

/** Processes beside each other: such a lock has one holder, so each has one of its own. */
const PLACES = 64;

/** Locks by name end with the connection, and none of them can be shared. */
export async function openSession(mysql: typeof import('mysql2'), where: ConnectionOptions, server: DatabaseServer): Promise<PresenceSession> {
  const connection = mysql.createConnection(where);
  const ended = new Promise<void>((resolve) => {
    connection.once('end', resolve);
    connection.once('error', () => resolve());
  });
  const client = connection.promise();
  const name = lockName(server);
  const moving = `${name} moving`;
  const places = Array.from({ length: PLACES }, (_, i) => `${name} ${i}`);
  const ask = async (statement: string, names: string[]): Promise<boolean> => {
    const [rows] = await client.query(`select ${statement} as got`, names);
    return (rows as { got: number | null }[])[0]?.got === 1;
  };
  const take = (lock: string) => ask('get_lock(?, 0)', [lock]);
  const drop = (lock: string) => ask('release_lock(?)', [lock]);
  // An idle connection would be closed after eight hours.
  await client.query('set session wait_timeout = 2147483').catch(async (error: unknown) => {
    connection.destroy();
    throw error;
  });

  async function enterBeside(): Promise<boolean> {
    for (const place of places) {
      if (!(await take(place))) continue;
      if (await ask('is_free_lock(?)', [moving])) return true;
      await drop(place);
      return false;
    }
    throw unavailable('database_crowded', `${PLACES} processes use ${server.place} already.`, { retryAfterSeconds: 60 });
  }
  async function enterAlone(): Promise<boolean> {
    if (!(await take(moving))) return false;
    if (await ask(places.map(() => 'is_free_lock(?)').join(' and '), places)) return true;
    await drop(moving);
    return false;
  }
  return {
    enter: (alone) => (alone ? enterAlone() : enterBeside()),
    lease: (lease) => take(`${name} ${lease}`),
    ended,
    close: () => client.end(),
  };
}
