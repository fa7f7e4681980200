import { setTimeout as sleep } from 'node:timers/promises';

// Answers are looked into freely; a wrong path fails the test.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = Record<string, any>;
export interface Answer {
  status: number;
  json: Json;
  /** How often it was sent until it was answered. */
  tries: number;
}

/** What a writer may ask of a server that may go away. */
export interface Connection {
  /** Sends until there is an answer that a client of MLflow would not try again. `path` is below `/api/2.0/`. */
  send(path: string, body: object | Uint8Array<ArrayBuffer>, method?: string): Promise<Answer>;
  /** Reads, once; with a body by POST. */
  get(path: string, body?: object): Promise<Json>;
  bytes(path: string): Promise<Uint8Array>;
}

/** One client: `write` makes the n-th of its writes, and `verify` throws unless all that was acknowledged is there once and nothing is half there. */
export interface Writer {
  write(n: number): Promise<void>;
  /** Returns how many acknowledged writes it found. */
  verify(): Promise<number>;
}
export type WriterMaker = (connection: Connection, name: string) => Writer;

class Stopped extends Error {}

/** What mlflow's client tries again (`mlflow.utils.rest_utils`, `_TRANSIENT_FAILURE_RESPONSE_CODES`). */
const RETRIED = new Set([408, 429, 500, 502, 503, 504]);

const json = (body: object, method: string): RequestInit => ({ method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

/**
 * Clients that write side by side, each one request at a time, and send again what got no answer.
 * @param at Where to write; while the server is away a promise of where it will be. And where to read, which may open earlier.
 */
export function startCrowd(makers: WriterMaker[], at: { write: () => Promise<string> | string; read: () => string }) {
  /** What kept coming instead of an answer, and how often. */
  const seen = new Map<string, number>();
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  const state = { on: true, acknowledged: 0 };
  const call = async (url: string, path: string, init?: RequestInit) => {
    const response = await fetch(`${url}/api/2.0/${path}`, init);
    const text = await response.text();
    return { status: response.status, json: (text.startsWith('{') ? JSON.parse(text) : { text }) as Json };
  };
  const connection: Connection = {
    async send(path, body, method = 'POST') {
      const init = body instanceof Uint8Array ? { method, body } : json(body, method);
      for (let tries = 1; ; tries++) {
        const answer = await call(await at.write(), path, init).catch(() => undefined);
        if (answer !== undefined && !RETRIED.has(answer.status)) {
          if (answer.status === 200) state.acknowledged++;
          return { ...answer, tries };
        }
        note(answer === undefined ? 'no answer' : `${answer.status} ${answer.json.error_code}`);
        if (!state.on) throw new Stopped();
        await sleep(20);
      }
    },
    async get(path, body) {
      const answer = await call(at.read(), path, body === undefined ? {} : json(body, 'POST'));
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
      return answer.json;
    },
    async bytes(path) {
      const response = await fetch(`${at.read()}/api/2.0/${path}`);
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return new Uint8Array(await response.arrayBuffer());
    },
  };
  const writers = makers.map((make, i) => make(connection, `w${i}`));
  const failures: unknown[] = [];
  const running = writers.map(async (writer) => {
    try {
      for (let n = 0; state.on; n++) await writer.write(n);
    } catch (error) {
      if (!(error instanceof Stopped)) failures.push(error);
    }
  });
  return {
    seen,
    acknowledged: () => state.acknowledged,
    async stop(): Promise<void> {
      state.on = false;
      await Promise.all(running);
      if (failures.length > 0) throw new AggregateError(failures, `a writer was refused: ${String(failures[0])}`);
    },
    /** The acknowledged writes that were found, all kinds together; or of one writer. */
    async verify(which?: number): Promise<number> {
      let found = 0;
      for (const [i, writer] of writers.entries()) if (which === undefined || which % writers.length === i) found += await writer.verify();
      return found;
    },
  };
}
