import { looseNumber, type LooseNumber } from '../kernel/index.ts';
import type { GatePolicy, GateReport, GoldenExamples, VersionRecord } from '../registry/index.ts';
import { largestDifference } from './compare.ts';
import type { OpenModel } from './model-runner.port.ts';

type Result = GateReport['results'][number];

/** Six significant digits: enough to see a margin, short enough to read. */
export const figure = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value));

/** Both sides of the signature are there, and name what the graph takes. */
export function checkSignature(version: Pick<VersionRecord, 'signature' | 'tensors'>): Result {
  const result = (passed: boolean, message: string): Result => ({ gate: 'signature', passed, message, measured: null, bound: null });
  const { signature, tensors } = version;
  if (signature === null)
    return result(false, 'The model has no signature. Log it with signature=mlflow.models.infer_signature(inputs, outputs) or with an input_example.');
  if (signature.inputs.length === 0 || signature.outputs.length === 0)
    return result(false, `The signature declares no ${signature.inputs.length === 0 ? 'inputs' : 'outputs'}.`);
  const names = new Set(signature.inputs.map(({ name }) => name));
  const missing = (tensors?.inputs ?? []).filter(({ name }) => !names.has(name)).map(({ name }) => name);
  // One matrix may hold all the columns under a name of its own.
  const [matrix] = tensors?.inputs ?? [];
  const width = matrix?.shape[1] ?? -1;
  const oneMatrix = tensors?.inputs.length === 1 && (signature.inputs.length === 1 || width === -1 || width === signature.inputs.length);
  if (missing.length > 0 && !oneMatrix)
    return result(
      false,
      `The signature does not name ${missing.length === 1 ? "the graph's input" : "the graph's inputs"} ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''}.`,
    );
  return result(true, `The signature declares ${count(signature.inputs.length, 'input')} and ${count(signature.outputs.length, 'output')}.`);
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** The model answers its golden examples as its author saw it answer. */
export async function checkGolden(policy: NonNullable<GatePolicy['golden']>, golden: GoldenExamples, model: OpenModel): Promise<Result> {
  const tolerance = Math.min(policy.tolerance, golden.tolerance ?? Number.POSITIVE_INFINITY);
  const result = (passed: boolean, message: string, measured: LooseNumber | null): Result => ({ gate: 'golden', passed, message, measured, bound: tolerance });
  const answers = await model.predict(golden.examples.map(({ inputs }) => inputs));
  if (answers.length !== golden.examples.length)
    return result(false, `The model answered ${answers.length} of ${golden.examples.length} golden examples.`, null);
  let most = { difference: -1, path: '', expected: undefined as unknown, actual: undefined as unknown, example: 0 };
  let off = 0;
  for (const [example, { outputs }] of golden.examples.entries()) {
    const answer = answers[example] ?? {};
    const unknown = Object.keys(outputs).find((name) => !Object.hasOwn(answer, name));
    if (unknown !== undefined)
      return result(false, `Example ${example} expects an output named ${unknown}; the model gives ${Object.keys(answer).join(', ')}.`, null);
    const found = largestDifference(outputs, answer);
    if (found.difference > tolerance) off++;
    if (found.difference > most.difference) most = { ...found, example };
  }
  if (off === 0)
    return result(
      true,
      `All ${golden.examples.length} golden examples are reproduced; the largest difference is ${figure(most.difference)}, the tolerance ${figure(tolerance)}.`,
      looseNumber(most.difference),
    );
  const by = Number.isFinite(most.difference)
    ? `off by ${figure(most.difference)}, ${figure(most.difference - tolerance)} over the tolerance of ${figure(tolerance)}`
    : 'which cannot be compared';
  return result(
    false,
    `${off} of ${golden.examples.length} golden examples are not reproduced. The worst is example ${most.example}, ${most.path}: expected ${short(most.expected)}, got ${short(most.actual)}, ${by}.`,
    looseNumber(most.difference),
  );
}

const short = (value: unknown): string => {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? Number(v) : v)) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

/** The metric is not worse than the champion's by more than the margin, and within the absolute bound. `champion` is null when there is none to compare with. */
export function checkMetric(
  policy: NonNullable<GatePolicy['metric']>,
  value: number | undefined,
  champion: { version: number; value: number | undefined } | null,
): Result {
  const { key, direction, margin } = policy;
  const result = (passed: boolean, message: string, bound: number | null): Result => ({
    gate: 'metric',
    passed,
    message,
    measured: value === undefined ? null : looseNumber(value),
    bound,
  });
  const higher = direction === 'higher';
  const comparable =
    champion !== null && champion.value !== undefined && !Number.isNaN(champion.value)
      ? higher
        ? champion.value - margin
        : champion.value + margin
      : undefined;
  const bounds = [comparable, policy.atLeast].filter((bound) => bound !== undefined);
  const bound = bounds.length === 0 ? null : higher ? Math.max(...bounds) : Math.min(...bounds);
  if (value === undefined)
    return result(false, `The run that made the version has no metric ${key} (or the version has no run), so it cannot be compared.`, bound);
  if (Number.isNaN(value)) return result(false, `The metric ${key} is NaN.`, bound);
  const why =
    comparable !== undefined && bound === comparable
      ? `${figure(champion?.value as number)} of the champion (version ${champion?.version}) ${higher ? 'less' : 'plus'} the margin of ${figure(margin)}`
      : 'the absolute bound';
  if (bound === null)
    return result(
      true,
      `${key} is ${figure(value)}; there is ${champion === null ? 'no champion' : `no ${key} of the champion (version ${champion.version})`} to compare with and no absolute bound.`,
      null,
    );
  const passed = higher ? value >= bound : value <= bound;
  if (passed) return result(true, `${key} is ${figure(value)}, not ${higher ? 'below' : 'above'} ${figure(bound)}, ${why}.`, bound);
  return result(false, `${key} is ${figure(value)}, ${figure(Math.abs(value - bound))} ${higher ? 'below' : 'above'} ${figure(bound)}, ${why}.`, bound);
}

/** Milliseconds that a latency check may take in all; a slow model is told by fewer runs. */
const MAX_LATENCY_MS = 30_000;

/** The 95th percentile of single runs, after warming up. */
export async function checkLatency(
  policy: NonNullable<GatePolicy['latency']>,
  rows: Record<string, unknown>[],
  model: OpenModel,
  now: () => number = () => performance.now(),
): Promise<Result> {
  const batch = Array.from({ length: policy.rows }, (_, i) => rows[i % rows.length] as Record<string, unknown>);
  for (let i = 0; i < 3; i++) await model.predict(batch);
  const times: number[] = [];
  const started = now();
  while (times.length < policy.runs && (times.length < 5 || now() - started < MAX_LATENCY_MS)) {
    const before = now();
    await model.predict(batch);
    times.push(now() - before);
  }
  times.sort((a, b) => a - b);
  const p95 = times[Math.min(times.length - 1, Math.ceil(times.length * 0.95) - 1)] as number;
  const passed = p95 <= policy.p95Ms;
  const what = `p95 of ${times.length} runs of ${count(policy.rows, 'row')} is ${figure(p95)} ms`;
  return {
    gate: 'latency',
    passed,
    message: passed
      ? `${what}, within ${figure(policy.p95Ms)} ms.`
      : `${what}, ${figure(p95 - policy.p95Ms)} ms over the budget of ${figure(policy.p95Ms)} ms.`,
    measured: p95,
    bound: policy.p95Ms,
  };
}
