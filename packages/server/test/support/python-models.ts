import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { VENV } from './docker-engine.ts';
import { temporaryFolder } from './server.ts';

const SCRIPT = fileURLToPath(new URL('../serving/python/save_models.py', import.meta.url));

/** Models saved by MLflow itself, a folder each. */
export async function savedModels(): Promise<string> {
  const root = temporaryFolder('python-models');
  await promisify(execFile)(join(VENV, 'bin/python'), [SCRIPT, root], { env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true' } });
  return root;
}

interface Json {
  version: number;
  state: string;
  message: string;
}

const json = async (url: string, method: string, body: unknown): Promise<Json> => {
  const response = await fetch(url, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Json;
};

/** Uploads a saved model, registers it and serves it under its name. */
export async function serveModel(url: string, root: string, name: string, config: Record<string, unknown> = {}) {
  const dir = join(root, name);
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const put = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/models/${name}/${path.slice(dir.length + 1)}`, {
      method: 'PUT',
      body: readFileSync(path),
    });
    if (!put.ok) throw new Error(`${path}: ${put.status} ${await put.text()}`);
  }
  await json(`${url}/api/binnacle/v1/models`, 'POST', { name }).catch(() => {});
  const version = await json(`${url}/api/binnacle/v1/models/${name}/versions/from-source`, 'POST', { source: `mlflow-artifacts:/models/${name}` });
  return json(`${url}/api/binnacle/v1/endpoints/${name}`, 'PUT', { model: name, traffic: [{ version: version.version, weight: 100 }], config });
}
