import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Software } from '../../compute/index.ts';
import { isObject } from '../../kernel/index.ts';

const MAX_BYTES = 1024 * 1024;

async function read(dir: string, name: string): Promise<string | null> {
  const text = await readFile(join(dir, name), 'utf8').catch(() => null);
  return text === null || text.length > MAX_BYTES ? null : text;
}

async function readYaml(dir: string, name: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = parse((await read(dir, name)) ?? '', { maxAliasCount: 10, logLevel: 'error' });
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** pip's list in a conda.yaml: MLflow models of old have nothing else. */
function pipOfConda(conda: Record<string, unknown>): string[] {
  const dependencies = Array.isArray(conda['dependencies']) ? (conda['dependencies'] as unknown[]) : [];
  return dependencies.flatMap((dependency) =>
    isObject(dependency) && Array.isArray(dependency['pip']) ? dependency['pip'].filter((line): line is string => typeof line === 'string') : [],
  );
}

/**
 * What a model says it was made with: Python's version (python_env.yaml, conda.yaml) and its packages (requirements.txt with its constraints, else
 * conda.yaml). `withMlflow`: its server comes from MLflow, so that is needed whatever the list says.
 */
export async function softwareOf(dir: string, withMlflow: boolean): Promise<Extract<Software, { kind: 'python' }>> {
  const [requirements, constraints, environment, conda] = await Promise.all([
    read(dir, 'requirements.txt'),
    read(dir, 'constraints.txt'),
    readYaml(dir, 'python_env.yaml'),
    readYaml(dir, 'conda.yaml'),
  ]);
  const lines = (requirements?.split(/\r?\n/) ?? pipOfConda(conda)).map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (withMlflow && !lines.some((line) => /^mlflow\b(?!-)/i.test(line))) lines.push('mlflow');
  const condaPython = (Array.isArray(conda['dependencies']) ? (conda['dependencies'] as unknown[]) : []).find(
    (line): line is string => typeof line === 'string' && /^python\s*=/.test(line),
  );
  const version = /(\d+\.\d+)/.exec(String(environment['python'] ?? condaPython ?? ''))?.[1] ?? null;
  return { kind: 'python', python: version, requirements: `${lines.join('\n')}\n`, constraints };
}
