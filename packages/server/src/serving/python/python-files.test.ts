import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { softwareOf } from './python-files.ts';

let dir: string;
const write = (files: Record<string, string>) => Object.entries(files).forEach(([name, text]) => writeFileSync(join(dir, name), text));
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-python-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('reads what MLflow wrote beside the model', async () => {
  write({
    'requirements.txt': '# made by mlflow\r\nmlflow==3.17.2\r\n\r\n-c constraints.txt\r\nscikit-learn==1.9.1',
    'constraints.txt': 'numpy<3\n',
    'python_env.yaml': 'python: 3.11.7\ndependencies:\n- -r requirements.txt\n',
  });
  expect(await softwareOf(dir, true)).toEqual({
    kind: 'python',
    python: '3.11',
    requirements: 'mlflow==3.17.2\n-c constraints.txt\nscikit-learn==1.9.1\n',
    constraints: 'numpy<3\n',
  });
});

it('reads the conda.yaml of an older model', async () => {
  write({ 'conda.yaml': 'dependencies:\n- python=3.9.5\n- pip<=21\n- pip:\n  - mlflow\n  - xgboost==1.5.0\n' });
  expect(await softwareOf(dir, true)).toMatchObject({ python: '3.9', requirements: 'mlflow\nxgboost==1.5.0\n', constraints: null });
});

it('adds mlflow where its server is needed and the list lacks it', async () => {
  expect(await softwareOf(dir, true)).toMatchObject({ python: null, requirements: 'mlflow\n' });
  write({ 'requirements.txt': 'mlflow-skinny==3.0\nnumpy' });
  expect(await softwareOf(dir, true)).toMatchObject({ requirements: 'mlflow-skinny==3.0\nnumpy\nmlflow\n' });
  expect(await softwareOf(dir, false)).toMatchObject({ requirements: 'mlflow-skinny==3.0\nnumpy\n' });
});

it('takes files that cannot be read for none', async () => {
  write({ 'python_env.yaml': 'python: [', 'conda.yaml': '&a [*a]' });
  expect(await softwareOf(dir, true)).toMatchObject({ python: null, requirements: 'mlflow\n' });
});
