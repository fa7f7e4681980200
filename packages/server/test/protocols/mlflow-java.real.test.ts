import { execFile } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

const run = promisify(execFile);
const project = fileURLToPath(new URL('./java', import.meta.url));
// For files the Java client starts `python -m mlflow`.
const python = fileURLToPath(new URL('../../../../.cache/venv/bin', import.meta.url));
const hasMaven = await run('mvn', ['-version']).then(
  () => true,
  () => false,
);

describe.skipIf(!hasMaven)('the Java client, org.mlflow:mlflow-client (needs a JDK and mvn)', () => {
  let server: RunningServer;
  const build = temporaryFolder('java');
  beforeAll(async () => {
    cpSync(project, build, { recursive: true });
    await run('mvn', ['-q', '-B', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath.txt'], { cwd: build });
    server = await startServer();
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    if (server !== undefined) rmSync(server.dataDir, { recursive: true, force: true });
    rmSync(build, { recursive: true, force: true });
  });

  it('creates, logs, searches, pages, deletes, restores, moves files and reads the registry', async () => {
    const classpath = [join(build, 'target/classes'), readFileSync(join(build, 'classpath.txt'), 'utf8').trim()].join(delimiter);
    const environment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('MLFLOW_')));
    const { stdout } = await run('java', ['-cp', classpath, 'Journey', server.url], {
      env: { ...environment, PATH: `${python}${delimiter}${process.env.PATH ?? ''}` },
    });
    expect(stdout.trim().split('\n')).toEqual(['ok experiments', 'ok runs', 'ok searches', 'ok registry', 'done']);
  }, 120_000);
});
