import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startServer, temporaryFolder } from '../support/server.ts';
import { onlyRun } from './kit.ts';

const python = process.env.BINNACLE_PYTHON ?? fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));

describe.skipIf(!existsSync(python))('the unmodified mlflow client (needs the Python environment of scripts/requirements-real.txt)', () => {
  it('brings its system metrics, its source and its git state', async () => {
    const server = await startServer();
    const repo = temporaryFolder('python-repo');
    const git = (...args: string[]) => execFileSync('git', args, { cwd: repo, encoding: 'utf8' }).trim();
    writeFileSync(
      join(repo, 'train.py'),
      `import sys, time, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("python")
mlflow.enable_system_metrics_logging()
mlflow.set_system_metrics_sampling_interval(0.2)
with mlflow.start_run():
    for step in range(10):
        mlflow.log_metric("loss", step, step=step)
        time.sleep(0.2)
`,
    );
    git('init', '-q', '-b', 'main');
    git('config', 'user.email', 'a@b.c');
    git('config', 'user.name', 'a');
    git('remote', 'add', 'origin', 'https://example.com/team/repo.git');
    git('add', '-A');
    git('commit', '-qm', 'first');
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('MLFLOW_') && !key.startsWith('BINNACLE_')));
    // Its telemetry changes the environment from another thread while GitPython copies it for git, and so breaks a start now and then.
    env['MLFLOW_DISABLE_TELEMETRY'] = 'true';
    await promisify(execFile)(python, ['train.py', server.url], { cwd: repo, env });
    const run = await onlyRun(server.url, 'python');
    const counts = Object.fromEntries(run.metrics.map(({ key, count }) => [key, count]));
    for (const name of ['cpu_utilization_percentage', 'system_memory_usage_percentage', 'disk_usage_percentage', 'network_receive_megabytes'])
      expect(counts[`system/${name}`], name).toBeGreaterThan(1);
    expect(run.tags).toMatchObject({
      'mlflow.source.name': 'train.py',
      'mlflow.source.type': 'LOCAL',
      'mlflow.source.git.commit': git('rev-parse', 'HEAD'),
      'mlflow.source.git.branch': 'main',
      'mlflow.source.git.repoURL': 'https://example.com/team/repo.git',
      'mlflow.user': expect.any(String) as string,
    });
    await server.stop();
    for (const folder of [repo, server.dataDir]) rmSync(folder, { recursive: true, force: true });
  });
});
