// steady-load.ts URL RATE CONNECTIONS BODY OUT: posts a file's bytes at a steady rate until standard input ends; writes pairs of float64 to OUT, when a request was due (milliseconds since 1970) and how long after that its reply was there.
import { readFileSync, writeFileSync } from 'node:fs';
import { Connection } from './lib/http.ts';

const [url = '', rate = '1000', connections = '1', bodyFile = '', out = ''] = process.argv.slice(2);
const { origin, pathname } = new URL(url);
const body = readFileSync(bodyFile);
const free = Array.from({ length: Number(connections) }, () => new Connection(origin));
const idle = [...free];
const every = 1000 / Number(rate);
const due: number[] = [];
let samples = new Float64Array(2 ** 16);
let used = 0;
let over = false;
let failure: Error | undefined;

/** From when the request was due, not from when a connection was free for it: who waits because the server is busy waits, too. */
async function send(connection: Connection, at: number): Promise<void> {
  const reply = await connection.send('POST', pathname, body);
  if (reply.status !== 200) throw new Error(`${url}: ${reply.status} ${reply.body.toString('utf8', 0, 300)}`);
  if (used + 2 > samples.length) {
    const larger = new Float64Array(samples.length * 2);
    larger.set(samples);
    samples = larger;
  }
  samples[used++] = performance.timeOrigin + at;
  samples[used++] = performance.now() - at;
  idle.push(connection);
}

const begun = performance.now();
let planned = 0;
/** A tenth of a millisecond at a time leaves most of the core to those who share it. */
const nap = new Int32Array(new SharedArrayBuffer(4));
function turn(): void {
  Atomics.wait(nap, 0, 0, 0.05);
  const now = performance.now();
  if (!over) for (; begun + planned * every <= now; planned++) due.push(begun + planned * every);
  let sent = 0;
  for (; sent < due.length && idle.length > 0; sent++)
    send(idle.pop() as Connection, due[sent] as number).catch((error: Error) => {
      failure ??= error;
      over = true;
    });
  due.splice(0, sent);
  if (failure === undefined && (!over || due.length > 0 || idle.length < free.length)) return void setImmediate(turn);
  for (const connection of free) connection.close();
  if (failure !== undefined) throw failure;
  writeFileSync(out, new Uint8Array(samples.buffer, 0, used * 8));
}
process.stdin.once('end', () => (over = true)).resume();
turn();
