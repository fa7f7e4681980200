import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Snippet } from '../packages/web/src/ui/snippet.ts';
import { deploySnippets, modelSnippets, type Server, trackingSnippets } from '../packages/web/src/features/snippets/index.ts';
import { root, type Running, startEmpty } from './server.ts';

/** What the interface tells people to paste is pasted: into a shell, Python and Node, against a server that asks for a token. */
const TOKEN = 's3cret"$x';
const EXPERIMENT = `it's "mine" $(touch pwned)`;
const MODEL = `iris $(touch pwned) it's`;
const python = join(root, '.cache/venv/bin/python');
let running: Running;
let server: Server;
let folder: string;

beforeAll(async () => {
  running = await startEmpty('--token', TOKEN);
  server = { url: running.url, token: true };
  // Below the workspace, so that @binnacle/sdk is found as an installed package.
  await mkdir(join(root, '.cache'), { recursive: true });
  folder = await mkdtemp(join(root, '.cache', 'snippets-'));
  await mkdir(join(folder, 'bin'));
  await symlink(process.execPath, join(folder, 'bin/node'));
  await writeFile(join(folder, 'bin/npx'), `#!/bin/sh\nshift\nexec node --disable-warning=ExperimentalWarning '${root}/packages/server/src/main.ts' "$@"\n`, {
    mode: 0o755,
  });
});
afterAll(async () => {
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});

const named = (snippets: Snippet[], name: string): string => snippets.find((s) => s.name === name)?.code ?? '';
async function paste(language: 'sh' | 'python' | 'node', code: string): Promise<string> {
  const file = join(folder, { sh: 'a.sh', python: 'a.py', node: 'a.mts' }[language]);
  await writeFile(file, code);
  const program = { sh: 'sh', python, node: process.execPath }[language];
  const { stdout } = await promisify(execFile)(program, language === 'sh' ? ['-eu', file] : [file], {
    cwd: folder,
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, HOME: folder, BINNACLE_TOKEN: TOKEN, GIT_PYTHON_REFRESH: 'quiet' },
    timeout: 240_000,
  });
  expect(existsSync(join(folder, 'pwned'))).toBe(false);
  return stdout;
}
const api = async <T>(path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${running.url}/api/binnacle/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};

test.each([
  ['curl', 'sh', 1],
  ['Python', 'python', 100],
  ['TypeScript', 'node', 100],
] as const)('a first run by %s is in the experiment, with its points, and has ended', async (name, language, points) => {
  await paste(language, named(trackingSnippets(server, EXPERIMENT), name));
  const { experiments } = await api<{ experiments: { id: string; name: string }[] }>('/experiments');
  const id = experiments.find((e) => e.name === EXPERIMENT)?.id ?? '';
  const { runs } = await api<{ runs: { id: string; status: string; params: Record<string, string> }[] }>('/runs/search', { experimentIds: [id], limit: 1 });
  expect(runs).toMatchObject([{ status: 'FINISHED', params: { learning_rate: '0.1' } }]);
  const { metrics } = await api<{ metrics: { key: string; count: number }[] }>(`/runs/${runs[0]?.id}/metric-keys`);
  expect(metrics).toMatchObject([{ key: 'loss', count: points }]);
});

describe('a model', () => {
  const champion = async () => (await api<{ aliases: Record<string, number> }>(`/models/${encodeURIComponent(MODEL)}`)).aliases['champion'];
  test('is trained and registered by the Python snippet, twice, and the alias follows', async () => {
    for (const version of [1, 2]) {
      await paste('python', named(modelSnippets(server, MODEL), 'Python'));
      expect(await champion()).toBe(version);
    }
    await paste(
      'python',
      `from skl2onnx import to_onnx\nfrom sklearn.datasets import load_iris\nfrom sklearn.linear_model import LogisticRegression\nX, y = load_iris(return_X_y=True)\nopen("model.onnx", "wb").write(to_onnx(LogisticRegression(max_iter=500).fit(X, y), X[:1].astype("float32")).SerializeToString())`,
    );
  });
  test.each([
    ['npx binnacle', 'sh', 3],
    ['curl', 'sh', 4],
    ['TypeScript', 'node', 5],
  ] as const)('is pushed by %s, and the alias moves to the version that was made', async (name, language, version) => {
    await paste(language, named(modelSnippets(server, MODEL), name));
    expect(await champion()).toBe(version);
  });
  test.each([
    ['curl', 'sh'],
    ['Python', 'python'],
    ['TypeScript', 'node'],
  ] as const)('is deployed by %s', async (name, language) => {
    const endpoint = `by-${name.toLowerCase()}`;
    await paste(language, named(deploySnippets(server, MODEL, endpoint), name));
    expect(await api(`/endpoints/${endpoint}`)).toMatchObject({ model: MODEL, traffic: [{ alias: 'champion', weight: 100 }] });
  });
});
