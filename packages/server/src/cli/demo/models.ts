import { setTimeout as sleep } from 'node:timers/promises';
import type { GatePolicy, GateReport, ModelVersion } from '@binnacle/contract';
import { BinnacleApiError } from '@binnacle/sdk';
import { progressBar, red, say } from '../output.ts';
import { ALIAS, type DemoContext, NAME } from './context.ts';
import { mlflow } from './mlflow.ts';
import type { RunName } from './recording.ts';
import { wrap } from './wrap.ts';
import type { ReplayedRun } from './runs.ts';

/** What a version must show before it may become champion. */
export const POLICY: GatePolicy = {
  aliases: [ALIAS],
  signature: {},
  golden: { tolerance: 1e-4, required: true },
  metric: { key: 'val_auc', direction: 'higher', margin: 0.005, atLeast: 0.6 },
  // Far above what these models take, and far below what a person notices: a shared two-core machine must not fail it by chance.
  latency: { p95Ms: 50, rows: 1, runs: 50 },
};

/** A version and the last word of its gates. */
export interface Candidate {
  name: RunName;
  version: number;
  report: GateReport | null;
}

/** Registers each run's model as a version, as `mlflow.register_model` does, and returns version numbers by run name. */
export async function registerVersions(context: DemoContext, runs: ReplayedRun[]): Promise<Map<RunName, number>> {
  const bar = progressBar('model versions');
  const api = mlflow(context.client);
  const existing = await findVersions(context);
  if (existing === undefined) await api.post('registered-models/create', { name: NAME, description: 'Will this flight arrive 15 minutes late or more?' });
  const versions = new Map<RunName, number>();
  let made = 0;
  for (const run of runs) {
    const known = existing?.find((version) => version.runId === run.runId);
    if (known !== undefined) {
      versions.set(run.name, known.version);
      continue;
    }
    const created = await api.post<{ model_version: { version: string } }>('model-versions/create', {
      name: NAME,
      source: `models:/${run.modelId}`,
      run_id: run.runId,
      model_id: run.modelId,
    });
    const { version } = created.model_version;
    await ready(context, version);
    await api.patch(`logged-models/${run.modelId}/tags`, {
      model_id: run.modelId,
      tags: [{ key: 'mlflow.modelVersions', value: JSON.stringify([{ name: NAME, version }]) }],
    });
    versions.set(run.name, Number(version));
    bar.update(++made, runs.length);
  }
  const list = [...versions].map(([name, version]) => `${version} ${name}`).join(', ');
  bar.end(made === 0 ? `already there: ${list}` : `${NAME}: ${list}`);
  return versions;
}

export async function findVersions(context: DemoContext): Promise<ModelVersion[] | undefined> {
  try {
    return (await context.client.call('getModel', { params: { model: NAME } })).versions;
  } catch (error) {
    if (error instanceof BinnacleApiError && error.status === 404) return undefined;
    throw error;
  }
}

async function ready(context: DemoContext, version: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const { model_version } = await mlflow(context.client).get<{ model_version: { status: string; status_message?: string } }>('model-versions/get', {
      name: NAME,
      version,
    });
    if (model_version.status === 'READY') return;
    if (model_version.status === 'FAILED_REGISTRATION')
      throw new Error(`${NAME}/${version} could not be registered: ${model_version.status_message ?? 'no reason given'}`);
    await sleep(100);
  }
  throw new Error(`${NAME}/${version} was not registered within 30 s.`);
}

/** Sets the gate policy once, then asks for `champion` for each version in turn; a version whose gates have spoken is not asked again. */
export async function promoteThroughGates(context: DemoContext, versions: Map<RunName, number>): Promise<Candidate[]> {
  const { client } = context;
  const bar = progressBar('gates');
  const { policy } = await client.call('getGatePolicy', { params: { model: NAME } });
  if (policy === null) await client.call('setGatePolicy', { params: { model: NAME }, body: { policy: POLICY } });
  const candidates: Candidate[] = [];
  let asked = 0;
  for (const [name, version] of versions) {
    let report = await lastReport(context, version);
    if (report === null) {
      asked++;
      await promote(context, version);
      report = await lastReport(context, version);
    }
    candidates.push({ name, version, report });
    bar.update(candidates.length, versions.size, name);
  }
  bar.end(
    `${asked === 0 ? 'already asked: ' : ''}${candidates.map(({ name, report }) => `${name} ${report === null ? 'not asked' : report.passed ? `passed → ${ALIAS}` : 'refused'}`).join(', ')}`,
  );
  for (const { name, report } of candidates)
    for (const gate of report?.results ?? [])
      if (!gate.passed) for (const line of wrap(`${red('refused')} ${name}, gate ${gate.gate}: ${gate.message}`)) say(line);
  return candidates;
}

/** A refusal by a gate is an answer here; anything else is an error. */
async function promote(context: DemoContext, version: number): Promise<void> {
  try {
    await context.client.call('setAlias', { params: { model: NAME, alias: ALIAS }, body: { version } });
  } catch (error) {
    if (!(error instanceof BinnacleApiError) || error.code !== 'gate_failed') throw error;
  }
}

export async function lastReport(context: DemoContext, version: number): Promise<GateReport | null> {
  const { reports } = await context.client.call('listGateReports', { params: { model: NAME, version } });
  return reports.find((report) => report.alias === ALIAS) ?? null;
}
