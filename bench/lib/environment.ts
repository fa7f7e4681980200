import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { canPin } from './cores.ts';
import { PYTHON, ROOT } from './paths.ts';

export interface Environment {
  date: string;
  commit: string;
  machine: string;
  system: string;
  pinning: string;
  load: string;
  versions: Record<string, string>;
}

const output = (program: string, args: string[]): string => spawnSync(program, args, { encoding: 'utf8', cwd: ROOT }).stdout?.trim() ?? '';

/** What a figure depends on besides the code. */
export function environment(): Environment {
  const packages = [
    'mlflow',
    'fastapi',
    'uvicorn',
    'uvloop',
    'httptools',
    'pydantic',
    'onnxruntime',
    'scikit-learn',
    'skl2onnx',
    'pandas',
    'pyarrow',
    'numpy',
    'SQLAlchemy',
  ];
  const asked = output(PYTHON, [
    '-c',
    `import sys, json, sqlite3\nfrom importlib.metadata import version\nd = {'python': sys.version.split()[0], 'sqlite (python)': sqlite3.sqlite_version}\nfor n in ${JSON.stringify(packages)}:\n  try: d[n] = version(n)\n  except Exception: pass\nprint(json.dumps(d))`,
  ]);
  const os = /^PRETTY_NAME="(.*)"$/m.exec(readText('/etc/os-release'))?.[1] ?? 'Linux';
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' ').concat(' UTC'),
    commit: `${output('git', ['rev-parse', '--short', 'HEAD'])}${output('git', ['status', '--porcelain', '--untracked-files=no', '--', 'packages']) === '' ? '' : ' with local changes'}`,
    machine: `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${os}, kernel ${release()}`,
    pinning: canPin ? 'a server on core 0, its client on core 1 (taskset), unless said otherwise' : 'no pinning (one core, or no taskset)',
    load: readText('/proc/loadavg').split(' ').slice(0, 3).join(' '),
    versions: {
      node: process.versions.node,
      'sqlite (node)': process.versions.sqlite ?? '',
      'onnxruntime-node': manifestVersion('onnxruntime-node'),
      '@duckdb/node-api': manifestVersion('@duckdb/node-api'),
      ...(JSON.parse(asked || '{}') as Record<string, string>),
      wrk: /wrk (\S+)/.exec(output('sh', ['-c', 'wrk -v 2>&1']))?.[1] ?? '',
    },
  };
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const manifestVersion = (name: string): string => {
  for (const base of [ROOT, join(ROOT, 'packages/server')]) {
    const text = readText(join(base, 'node_modules', name, 'package.json'));
    if (text !== '') return (JSON.parse(text) as { version: string }).version;
  }
  return '';
};
