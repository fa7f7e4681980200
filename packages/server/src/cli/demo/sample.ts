import type { Table } from '../../tables/index.ts';
import { DAY_MS, LIVE } from './context.ts';
import type { Flight } from './flights.ts';

/** The columns of flights-3m.parquet, in the order in which `sampleLive` reads them. */
export const COLUMNS = ['date', 'delay', 'distance', 'origin', 'destination'];
/** Of 1000: about 10,500 of a week's 117,000 flights, enough for the distributions of 228 airports to stand clear of their noise. */
const SHARE = 90;
const LATE_MINUTES = 15;
const HOUR_MS = 3_600_000;

/**
 * The flights that the demo asks about live: those of `LIVE` whose hash falls into the share. Chosen by the row's own content, so every
 * replay asks about the same ones. `tables` come in the order of departure, as the file is sorted.
 */
export async function sampleLive(tables: AsyncIterable<Table>): Promise<Flight[]> {
  const flights: Flight[] = [];
  for await (const table of tables) {
    const [date, delay, distance, origin, destination] = COLUMNS.map((name) => table.columns.find((column) => column.name === name)?.values);
    if (date === undefined || delay === undefined || distance === undefined || origin === undefined || destination === undefined)
      throw new Error(`flights-3m.parquet must have the columns ${COLUMNS.join(', ')}.`);
    if (table.rows > 0 && Number(date[0]) >= LIVE.to) break;
    for (let row = 0; row < table.rows; row++) {
      const time = Number(date[row]);
      if (time < LIVE.from || time >= LIVE.to) continue;
      const flight = { time, distance: Number(distance[row]), origin: String(origin[row]), destination: String(destination[row]) };
      const minutes = Number(delay[row]);
      if (hash(`${time} ${flight.origin} ${flight.destination} ${flight.distance} ${minutes}`) % 1000 >= SHARE) continue;
      flights.push({ ...flight, ...calendar(time), late: minutes >= LATE_MINUTES ? 1 : 0 });
    }
  }
  return flights;
}

/** Hour and ISO weekday (1 = Monday) of a departure: its local time as it stands. */
export function calendar(time: number): Pick<Flight, 'dep_hour' | 'day_of_week'> {
  const days = Math.floor(time / DAY_MS);
  // 1 January 1970 was a Thursday.
  return { dep_hour: Math.floor((time - days * DAY_MS) / HOUR_MS), day_of_week: ((((days + 3) % 7) + 7) % 7) + 1 };
}

/** FNV-1a with Murmur3's last mixing step: 32 well-spread bits, the same on every machine. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
