import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

const python = process.env.BINNACLE_PYTHON ?? fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const script = (name: string) => fileURLToPath(new URL(`./python/${name}.py`, import.meta.url));
const run = promisify(execFile);

async function runPython(name: string, ...args: string[]): Promise<unknown> {
  const cwd = mkdtempSync(join(tmpdir(), 'binnacle-python-'));
  const environment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('MLFLOW_') && !key.startsWith('BINNACLE_')));
  try {
    const { stdout } = await run(python, [script(name), ...args], { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

describe.skipIf(!existsSync(python))('the unmodified mlflow client (needs the Python environment of scripts/requirements-real.txt)', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    if (server !== undefined) rmSync(server.dataDir, { recursive: true, force: true });
  });

  it('works a day with the fluent API, autolog, datasets and logged models', async () => {
    expect(await runPython('fluent', server.url, 'fluent')).toMatchObject({ done: ['fluent', 'autolog', 'logged models', 'history'] });
  }, 400_000);

  it('autologs XGBoost and LightGBM, and keeps pyfunc and ONNX models and what they were made of', async () => {
    expect(await runPython('boosted', server.url)).toEqual({ done: ['xgboost', 'lightgbm', 'pyfunc', 'onnx', 'data'] });
  }, 400_000);

  it("gets the answers that MLflow's own SQL store gives, to every filter, order, view and mistake", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'binnacle-reference-'));
    try {
      const reference = (await runPython('scenario', `sqlite:///${join(folder, 'mlflow.db')}`, 'parity')) as Record<string, unknown>;
      const ours = (await runPython('scenario', server.url, 'parity')) as Record<string, unknown>;
      expect(Object.keys(reference).length).toBeGreaterThan(200);
      expect(ours).toEqual(reference);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 400_000);
});
