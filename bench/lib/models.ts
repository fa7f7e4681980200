import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { FLIGHTS, PYTHON, script } from './paths.ts';
import { runToEnd } from './process.ts';
import type { Context } from './types.ts';

/** The folder of models that bench/python/make_models.py makes once. */
export async function models(context: Context): Promise<string> {
  const dir = join(context.data, 'models');
  await runToEnd(PYTHON, ['-W', 'ignore', script('make_models.py'), dir, FLIGHTS], { cores: '0-1', env: { MLFLOW_DISABLE_TELEMETRY: 'true' } });
  return dir;
}

/** Pushes an ONNX file as a model's next version, and points its champion at it. */
export async function push(url: string, model: string, file: string): Promise<number> {
  const client = createClient({ baseUrl: url });
  const { version } = await client.call('uploadVersion', { params: { model }, rawBody: new Blob([readFileSync(file)]) });
  await client.call('setAlias', { params: { model, alias: 'champion' }, body: { version } });
  return version;
}
