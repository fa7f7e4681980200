import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { differences, filterDifferences } from './differential/differences.ts';
import { experimentSteps } from './differential/experiments.ts';
import { filterSteps } from './differential/filters.ts';
import { loggedModelSteps, registrySteps } from './differential/models.ts';
import { alikeSteps, lengthSteps, nameSteps } from './differential/names.ts';
import { type Reply, replay, type Step } from './differential/replay.ts';
import { runSteps } from './differential/runs.ts';

const mlflow = fileURLToPath(new URL('../../../../.cache/venv/bin/mlflow', import.meta.url));

const python = join(mlflow, '../python');

/** The real `mlflow server` on SQLite, in a process group of its own: it starts workers. */
async function startMlflow(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = temporaryFolder('oracle');
  const port = await freePort();
  const store = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`, '--artifacts-destination', join(folder, 'artifacts')];
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MLFLOW_')));
  const child = spawn(mlflow, ['server', ...store, '--host', '127.0.0.1', '--port', String(port), '--workers', '1'], {
    cwd: folder,
    detached: true,
    env: { ...environment, GIT_PYTHON_REFRESH: 'quiet' },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let waited = 0; waited < 120; waited++) {
    if (
      await fetch(`${url}/health`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return { url, stop };
    if (child.exitCode !== null) break;
    await sleep(500);
  }
  await stop();
  throw new Error('mlflow server did not start');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

/** How MLflow begins to say that a filter or an order is wrong. */
const PHRASES =
  /^(Invalid (clause|comparison|comparator|entity|attribute|dataset|order|filter|value|model)|Expected (a quoted string|numeric) value|Parameter value is either not quoted|Search filter contained multiple|Only \[|While parsing a list|IS NULL \/ IS NOT NULL is only)/;

const codeOf = ({ status, body }: Reply) => [status, (body as { error_code?: string }).error_code];

describe.skipIf(!existsSync(mlflow))(
  'the same requests to mlflow server and to this one (needs the Python environment of scripts/requirements-real.txt)',
  () => {
    let ours: RunningServer;
    let theirs: Awaited<ReturnType<typeof startMlflow>>;
    const seen = new Set<string>();
    beforeAll(async () => {
      [ours, theirs] = await Promise.all([startServer(), startMlflow()]);
    }, 120_000);
    afterAll(async () => {
      await theirs?.stop();
      await ours?.stop();
      if (ours !== undefined) rmSync(ours.dataDir, { recursive: true, force: true });
    });

    it.each<[string, Step[]]>([
      ['experiments', experimentSteps],
      ['runs, metrics, inputs and searches', runSteps],
      ['logged models', loggedModelSteps],
      ['the registry', registrySteps],
      ['names of every kind of character', nameSteps],
      ['names that look alike', alikeSteps],
      ['texts as long as they may be, and longer', lengthSteps],
    ])('%s: status, code, message and body', async (_, steps) => {
      const [expected, got] = await Promise.all([replay(theirs.url, steps), replay(ours.url, steps)]);
      for (const [i, reply] of got.entries()) {
        const reference = expected[i] as Reply;
        const known = differences.find(([request]) => reply.step.includes(request));
        if (known === undefined) expect.soft(reply).toEqual(reference);
        else {
          if (JSON.stringify(reply) !== JSON.stringify(reference)) seen.add(known[0]);
          if (known[2] === 'code') expect.soft(codeOf(reply), reply.step).toEqual(codeOf(reference));
          // Whatever MLflow makes of it, ours is a JSON answer and no failure.
          expect.soft(typeof reply.body, reply.step).toBe('object');
          expect.soft(reply.status, reply.step).toBeLessThan(500);
        }
      }
    });

    it('filters and orders that do not parse: status and code, in one of the phrases that MLflow has for it', async () => {
      const [expected, got] = await Promise.all([replay(theirs.url, filterSteps), replay(ours.url, filterSteps)]);
      const used = new Set<string>();
      for (const [i, reply] of got.entries()) {
        const reference = expected[i] as Reply;
        const known = filterDifferences.find(([request]) => reply.step.includes(request));
        if (known === undefined) expect.soft(codeOf(reply), reply.step).toEqual(codeOf(reference));
        else if (codeOf(reply).join() !== codeOf(reference).join()) used.add(known[0]);
        if (reply.status !== 200) expect.soft({ step: reply.step, ...(reply.body as object) }).toMatchObject({ message: expect.stringMatching(PHRASES) });
        expect.soft([200, 400], reply.step).toContain(reply.status);
      }
      expect(filterDifferences.map(([request]) => request).filter((request) => !used.has(request))).toEqual([]);
    });

    it('every route of mlflow server is there, or is said in JSON not to be', async () => {
      const { stdout } = await promisify(execFile)(python, [fileURLToPath(new URL('./python/routes.py', import.meta.url))]);
      const routes = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as [string, string][];
      expect(routes.length).toBeGreaterThan(300);
      const absent = new Set<string>();
      for (const [method, path] of routes) {
        const url = `${ours.url}${path.replace(/<[^>]+>/g, 'x1')}`;
        const response = await fetch(url, { method, ...(method === 'GET' ? {} : { body: '{}', headers: { 'content-type': 'application/json' } }) });
        const body = (await response.json()) as { error_code?: string };
        if (body.error_code === 'ENDPOINT_NOT_FOUND') absent.add(path.split('/')[4] ?? path);
      }
      // Agents, prompts' optimisation, reviews and workspaces may be absent.
      const areas = ['experiments', 'runs', 'metrics', 'artifacts', 'logged-models', 'registered-models', 'model-versions', 'traces', 'mpu', 'presigned'];
      expect(areas.filter((area) => absent.has(area))).toEqual([]);
    });

    it('knows of no difference that is none', () => {
      expect(differences.map(([request]) => request).filter((request) => !seen.has(request))).toEqual([]);
    });
  },
);
