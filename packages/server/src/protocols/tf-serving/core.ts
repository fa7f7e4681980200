import { BinnacleError, invalid, newRequestId, notFound } from '../../kernel/index.ts';
import type { InferReply, InferRequest, ServingService, Tensor, VersionInfo } from '../../serving/index.ts';
import { type ModelSpec, servableNotFound, translate } from './errors.ts';
import { type Example, examplesToTensors } from './examples.ts';
import { classesOf, type ClassScore, outputsFor, valuesOf } from './results.ts';
import { checkSignature, DEFAULT, missingInRest, type ServingSignature, signaturesOf } from './signatures.ts';

/** Of a request, whatever carried it. */
export type CallMeta = Pick<InferRequest, 'receivedAt' | 'startedAt' | 'eventTime' | 'header'> & { requestId: string | undefined; signal?: AbortSignal };

export interface VersionStatus {
  version: number;
  state: 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';
  /** Empty when all is well. */
  error: string;
}

export interface Answer<T> {
  /** The version that answered. */
  version: VersionInfo;
  requestId: string;
  value: T;
  finish: InferReply['finish'];
  release: InferReply['release'];
}

/** A part of a MultiInference: one signature over the examples of all. */
export interface InferenceTask {
  spec: ModelSpec;
  method: 'classify' | 'regress';
}
export type TaskResult = { classes: ClassScore[][] } | { values: number[] };

/** What TensorFlow Serving asks of a server, whatever carries it: REST here, gRPC beside it. The model's name is the endpoint's. */
export interface TfServingCore {
  status(spec: ModelSpec): VersionStatus[];
  signatures(spec: ModelSpec): { version: number; signatures: Record<string, ServingSignature> };
  predict(spec: ModelSpec, inputs: (version: VersionInfo) => Tensor[], meta: CallMeta, outputs?: string[]): Promise<Answer<Tensor[]>>;
  classify(spec: ModelSpec, examples: readonly Example[], meta: CallMeta): Promise<Answer<ClassScore[][]>>;
  regress(spec: ModelSpec, examples: readonly Example[], meta: CallMeta): Promise<Answer<number[]>>;
  /** One run for all tasks, which are of one model. */
  multi(tasks: readonly InferenceTask[], examples: readonly Example[], meta: CallMeta): Promise<Answer<TaskResult[]>>;
  /** Told of a request that was refused before it came so far. */
  refused(name: string, times: Pick<CallMeta, 'receivedAt' | 'startedAt'>, error: unknown): void;
}

const STATES = { ready: 'AVAILABLE', loading: 'LOADING', failed: 'END', draining: 'UNLOADING' } as const;

/** `missing`: how a predict request is told that it names a signature which is none; REST and gRPC differ. */
export function createCore(serving: ServingService, missing = missingInRest): TfServingCore {
  /** A label is an alias of the endpoint's model. */
  function pinned({ name, version, label }: ModelSpec): number | undefined {
    if (name === '') throw invalid('invalid_request', 'ModelSpec has no name specified.');
    if (label === undefined) return version;
    const aliases = serving.aliases(name);
    if (aliases === undefined) throw servableNotFound({ name });
    const found = Object.hasOwn(aliases, label) ? aliases[label] : undefined;
    if (found === undefined) throw invalid('unknown_label', `Unrecognized servable version label: ${label}`);
    return found;
  }

  const refused: TfServingCore['refused'] = (name, { receivedAt, startedAt }, error) => serving.refused({ endpoint: name, receivedAt, startedAt }, error);

  async function run(
    spec: ModelSpec,
    inputs: (version: VersionInfo) => Tensor[],
    meta: CallMeta,
    outputs: string[] | undefined,
  ): Promise<{ reply: InferReply; requestId: string }> {
    const requestId = meta.requestId ?? newRequestId(meta.receivedAt);
    let version: number | undefined;
    try {
      version = pinned(spec);
    } catch (error) {
      refused(spec.name, meta, error);
      throw error;
    }
    try {
      const reply = await serving.infer({
        endpoint: spec.name,
        version,
        inputs,
        outputs,
        requestId,
        eventTime: meta.eventTime,
        receivedAt: meta.receivedAt,
        startedAt: meta.startedAt,
        header: meta.header,
        call: meta.signal === undefined ? undefined : { signal: meta.signal },
      });
      return { reply, requestId };
    } catch (error) {
      throw translate(error, { name: spec.name, version });
    }
  }

  /** Examples in, all outputs out: which ones a method needs is known once the version is. */
  async function ofExamples<T>(
    tasks: readonly InferenceTask[],
    examples: readonly Example[],
    meta: CallMeta,
    valueOf: (version: VersionInfo, outputs: readonly Tensor[]) => T,
  ): Promise<Answer<T>> {
    const { spec } = tasks[0] as InferenceTask;
    const make = (version: VersionInfo): Tensor[] => {
      for (const task of tasks) {
        checkSignature(version, task.spec.signature ?? '', task.method);
        outputsFor(version, task.method);
      }
      return examplesToTensors(version, examples);
    };
    const { reply, requestId } = await run(spec, make, meta, undefined);
    const { version, outputs, finish, release } = reply;
    try {
      return { version, requestId, value: valueOf(version, outputs), finish, release };
    } catch (error) {
      refused(spec.name, meta, error);
      throw error;
    }
  }

  return {
    status(spec) {
      const { name, label } = spec;
      const version = label === undefined ? spec.version : pinned(spec);
      let versions: { version: number; state: keyof typeof STATES; error: string | null }[];
      try {
        ({ versions } = serving.get(name));
      } catch (error) {
        if (!(error instanceof BinnacleError) || error.kind !== 'not_found') throw error;
        versions = [];
      }
      const byVersion = new Map(versions.map((one) => [one.version, one]));
      if (version !== undefined) {
        const found = byVersion.get(version);
        if (found === undefined) throw notFound('version_not_found', `Could not find version ${version} of model ${name}`);
        return [statusOf(found)];
      }
      if (byVersion.size === 0) throw notFound('version_not_found', `Could not find any versions of model ${name}`);
      return [...byVersion.values()].sort((a, b) => b.version - a.version).map(statusOf);
    },

    signatures(spec) {
      const version = pinned(spec);
      try {
        const served = serving.served(spec.name, version).version;
        return { version: served.version, signatures: signaturesOf(served) };
      } catch (error) {
        throw translate(error, { name: spec.name, version });
      }
    },

    async predict(spec, inputs, meta, outputs) {
      const make = (version: VersionInfo): Tensor[] => {
        checkSignature(version, spec.signature ?? '', 'predict', missing);
        if (outputs !== undefined) checkFilter(version, outputs);
        return inputs(version);
      };
      const { reply, requestId } = await run(spec, make, meta, outputs);
      return { version: reply.version, requestId, value: reply.outputs, finish: reply.finish, release: reply.release };
    },

    classify: (spec, examples, meta) =>
      ofExamples([{ spec, method: 'classify' }], examples, meta, (version, outputs) => classesOf(version, outputs, examples.length)),
    regress: (spec, examples, meta) =>
      ofExamples([{ spec, method: 'regress' }], examples, meta, (version, outputs) => valuesOf(version, outputs, examples.length)),

    async multi(tasks, examples, meta) {
      checkTasks(tasks);
      return ofExamples(tasks, examples, meta, (version, outputs) =>
        tasks.map(({ method }) =>
          method === 'classify' ? { classes: classesOf(version, outputs, examples.length) } : { values: valuesOf(version, outputs, examples.length) },
        ),
      );
    },

    refused,
  };
}

const statusOf = ({ version, state, error }: { version: number; state: keyof typeof STATES; error: string | null }): VersionStatus => ({
  version,
  state: STATES[state],
  error: error ?? '',
});

function checkFilter(version: VersionInfo, outputs: readonly string[]): void {
  outputs.forEach((name, i) => {
    if (!version.outputs.some((output) => output.name === name))
      throw invalid(
        'unknown_output',
        `output tensor alias not found in signature: ${name} Outputs expected to be in the set {${version.outputs
          .map((output) => output.name)
          .toSorted()
          .join(',')}}.`,
      );
    if (outputs.indexOf(name) !== i) throw invalid('duplicate_output', `duplicate output tensor alias: ${name}`);
  });
}

function checkTasks(tasks: readonly InferenceTask[]): void {
  const names = tasks.map(({ spec }) => spec.name);
  if (names.length === 0) throw invalid('invalid_request', 'A MultiInferenceRequest needs at least one task.');
  if (names.includes('')) throw invalid('invalid_request', 'Found ModelSpec with an empty model name.');
  if (names.some((name) => name !== names[0])) throw invalid('invalid_request', 'All ModelSpecs in a MultiInferenceRequest must access the same model name.');
  const seen = new Set<string>();
  for (const { spec } of tasks) {
    const signature = spec.signature || DEFAULT;
    if (seen.has(signature)) throw invalid('invalid_request', `Duplicate evaluation of signature: ${signature}`);
    seen.add(signature);
  }
}
