import { readFile, stat } from 'node:fs/promises';
import { BinnacleError, type Clock, invalid, type Logger, messageOf, newId, systemClock } from '../kernel/index.ts';
import {
  type AliasGuard,
  type GatePolicy,
  type GateReport,
  type GoldenExamples,
  MAX_GOLDEN_BYTES,
  type ModelPackage,
  parseGoldenExamples,
  type RegistryService,
  type RunDirectory,
  type VersionRecord,
} from '../registry/index.ts';
import { checkGolden, checkLatency, checkMetric, checkSignature } from './checks.ts';
import type { ModelRunner, OpenModel } from './model-runner.port.ts';
import { sampleRow } from './sample-row.ts';

type Result = GateReport['results'][number];

export interface GatesDeps {
  registry: RegistryService;
  runs: RunDirectory;
  runner: ModelRunner;
  logger: Logger;
  clock?: Clock;
}

export interface GatesService extends AliasGuard {
  /** Runs a model's gates for a version without moving an alias, and records the report. `invalid` (code `no_gate_policy`) when the model has no policy. */
  run(model: string, version: number, alias?: string): Promise<GateReport>;
}

/** The checks that a version passes before an alias moves to it. Every gate of the policy runs, so that a report shows all that is wrong at once. */
export function createGatesService(deps: GatesDeps): GatesService {
  const { registry } = deps;
  const clock = deps.clock ?? systemClock;
  let last = 0;

  async function report(policy: GatePolicy, version: VersionRecord, alias: string | null, champion: number | null): Promise<GateReport> {
    const results: Result[] = [];
    if (policy.signature !== undefined) results.push(checkSignature(version));
    if (policy.metric !== undefined) results.push(await metric(policy.metric, version, champion));
    if (policy.golden !== undefined || policy.latency !== undefined) results.push(...(await runModel(deps, policy, version)));
    // Reports of one version sort by time; two in a millisecond must not tie.
    last = Math.max(clock(), last + 1);
    return {
      id: newId(),
      model: version.model,
      version: version.version,
      alias,
      passed: results.every(({ passed }) => passed),
      forced: false,
      reason: null,
      createdAt: last,
      results,
    };
  }

  async function metric(policy: NonNullable<GatePolicy['metric']>, version: VersionRecord, champion: number | null): Promise<Result> {
    const valueOf = async (runId: string | null) => (runId === null ? undefined : (await deps.runs.metrics(runId, [policy.key]))[policy.key]);
    const other = champion === null || champion === version.version ? null : await registry.getVersion(version.model, champion).catch(() => null);
    return checkMetric(policy, await valueOf(version.runId), other === null ? null : { version: other.version, value: await valueOf(other.runId) });
  }

  return {
    async check({ model, version, alias, previous }) {
      const policy = (await registry.getModel(model)).gatePolicy;
      if (policy === null || !policy.aliases.includes(alias)) return null;
      return report(policy, await registry.getVersion(model, version), alias, previous);
    },
    async run(name, number, alias) {
      const model = await registry.getModel(name);
      const version = await registry.getVersion(name, number);
      if (model.gatePolicy === null)
        throw invalid(
          'no_gate_policy',
          `The model ${name} has no gate policy. Set one with PUT /api/binnacle/v1/models/${encodeURIComponent(name)}/gate-policy.`,
        );
      const compared = alias ?? model.gatePolicy.aliases[0];
      const champion = compared !== undefined && Object.hasOwn(model.aliases, compared) ? (model.aliases[compared] ?? null) : null;
      const result = await report(model.gatePolicy, version, alias ?? null, champion);
      await registry.addGateReport(result);
      return result;
    },
  };
}

/** The gates that need the model itself: it is loaded once for both, and let go whatever happens. */
async function runModel(deps: GatesDeps, policy: GatePolicy, version: VersionRecord): Promise<Result[]> {
  const names = (['golden', 'latency'] as const).filter((gate) => policy[gate] !== undefined);
  const bounds = { golden: policy.golden?.tolerance ?? null, latency: policy.latency?.p95Ms ?? null };
  const failed = (gate: 'golden' | 'latency', error: unknown, what: string): Result => {
    if (!(error instanceof BinnacleError)) deps.logger.error({ err: error, model: version.model, version: version.version, gate }, 'a gate could not run');
    return { gate, passed: false, message: `${what}: ${messageOf(error)}`, measured: null, bound: bounds[gate] };
  };
  let model: OpenModel;
  let pkg: ModelPackage;
  try {
    pkg = await deps.registry.resolve(version.model, { version: version.version });
    model = await deps.runner.open(pkg);
  } catch (error) {
    return names.map((gate) => failed(gate, error, 'The version could not be loaded'));
  }
  const results: Result[] = [];
  try {
    let golden: GoldenExamples | null = null;
    try {
      golden = await readGolden(pkg);
      if (policy.golden !== undefined) results.push(golden === null ? noGolden(policy.golden) : await checkGolden(policy.golden, golden, model));
    } catch (error) {
      if (policy.golden !== undefined) results.push(failed('golden', error, 'The golden examples could not be run'));
    }
    if (policy.latency !== undefined) {
      try {
        const rows = golden?.examples.map(({ inputs }) => inputs) ?? [sampleRow(pkg)].filter((row) => row !== undefined);
        if (rows.length === 0) throw invalid('no_sample', 'there are neither golden examples nor a signature to make a request of');
        results.push(await checkLatency(policy.latency, rows, model));
      } catch (error) {
        results.push(failed('latency', error, 'The latency could not be measured'));
      }
    }
  } finally {
    await model.close();
  }
  return results;
}

function noGolden(policy: NonNullable<GatePolicy['golden']>): Result {
  const message = 'The version has no golden examples (binnacle/golden.json, in the model folder or among its run’s artifacts)';
  return {
    gate: 'golden',
    passed: !policy.required,
    message: policy.required ? `${message}, and the policy requires them.` : `${message}; the policy does not require them.`,
    measured: null,
    bound: policy.tolerance,
  };
}

async function readGolden(pkg: ModelPackage): Promise<GoldenExamples | null> {
  if (pkg.goldenFile === null) return null;
  if ((await stat(pkg.goldenFile)).size > MAX_GOLDEN_BYTES) throw invalid('golden_invalid', `The golden examples are longer than ${MAX_GOLDEN_BYTES} bytes.`);
  return parseGoldenExamples(await readFile(pkg.goldenFile, 'utf8'));
}
