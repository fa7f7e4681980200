import type { Root } from 'protobufjs';
import { headerOf } from '../../../http/data-plane/index.ts';
import type { GrpcCall, GrpcMethod, Handlers } from '../../../http/grpc/index.ts';
import { serviceMethods } from '../../../http/grpc/index.ts';
import { invalid, unsupported } from '../../../kernel/index.ts';
import { parseEventTime, parseRequestId, type VersionInfo } from '../../../serving/index.ts';
import type { Answer, CallMeta, InferenceTask, TaskResult, TfServingCore } from '../core.ts';
import { tfType } from '../datatypes.ts';
import type { ModelSpec } from '../errors.ts';
import type { ClassScore } from '../results.ts';
import { DEFAULT, METHODS, type ServingSignature, type SignatureTensor } from '../signatures.ts';
import { examplesOf, specOf, tensorsOf } from './request.ts';
import { predictEncoder, type PredictReply } from './tensor-reply.ts';
import type { WireExamples, WireMetadata, WireMulti, WirePredict } from './wire.ts';

export const PREDICTION_SERVICE = 'tensorflow.serving.PredictionService';
const METADATA_FIELD = 'signature_def';

/** What answered, as a reply tells it. */
const replySpec = ({ name, signature }: ModelSpec, version: VersionInfo): object => ({
  name,
  signature_name: signature === undefined || signature === '' ? DEFAULT : signature,
  version: { value: version.version },
});

/** One inference: what is wrong before the core is asked counts as a refusal of the model. */
async function run<T>(
  core: TfServingCore,
  name: string | undefined,
  call: GrpcCall,
  prepare: () => (meta: CallMeta) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  let start: (meta: CallMeta) => Promise<Answer<T>>;
  let meta: CallMeta;
  try {
    const header = headerOf(call);
    const requestId = parseRequestId(header('x-request-id'));
    const eventTime = parseEventTime(header('x-binnacle-event-time'));
    meta = { receivedAt: call.receivedAt, startedAt: call.startedAt, requestId, eventTime, header, signal: call.signal };
    start = prepare();
  } catch (error) {
    core.refused(name ?? '', call, error);
    throw error;
  }
  const answer = await start(meta);
  call.afterReply = answer.finish;
  return answer;
}

const classification = (rows: readonly ClassScore[][]): object => ({ classifications: rows.map((classes) => ({ classes })) });
const regression = (values: readonly number[]): object => ({ regressions: values.map((value) => ({ value })) });

function tasksOf({ tasks }: WireMulti): InferenceTask[] {
  return tasks.map(({ model_spec, method_name }) => {
    const spec = specOf(model_spec);
    if (method_name === METHODS.classify) return { spec, method: 'classify' };
    if (method_name === METHODS.regress) return { spec, method: 'regress' };
    throw unsupported('method_unsupported', `Unsupported signature method_name: ${method_name}`);
  });
}

/** PredictionService over the core. `maxBytes`: what the inputs of a request may take together. */
export function predictionService(root: Root, core: TfServingCore, maxBytes: number): Record<string, GrpcMethod> {
  const encode = predictEncoder(root);
  const signatureMap = root.lookupType('tensorflow.serving.SignatureDefMap');
  const handlers: Handlers = {
    Predict: {
      kind: 'unary',
      async handle(request: WirePredict, call): Promise<PredictReply> {
        const answer = await run(core, request.model_spec?.name, call, () => {
          const spec = specOf(request.model_spec);
          const inputs = tensorsOf(request.inputs, maxBytes);
          return (meta) => core.predict(spec, inputs, meta, request.output_filter.length === 0 ? undefined : request.output_filter);
        });
        call.onSent = answer.release;
        return { spec: replySpec(specOf(request.model_spec), answer.version), outputs: answer.value };
      },
    },
    Classify: {
      kind: 'unary',
      async handle(request: WireExamples, call) {
        const answer = await run(core, request.model_spec?.name, call, () => {
          const [spec, examples] = [specOf(request.model_spec), examplesOf(request.input)];
          return (meta) => core.classify(spec, examples, meta);
        });
        return { model_spec: replySpec(specOf(request.model_spec), answer.version), result: classification(answer.value) };
      },
    },
    Regress: {
      kind: 'unary',
      async handle(request: WireExamples, call) {
        const answer = await run(core, request.model_spec?.name, call, () => {
          const [spec, examples] = [specOf(request.model_spec), examplesOf(request.input)];
          return (meta) => core.regress(spec, examples, meta);
        });
        return { model_spec: replySpec(specOf(request.model_spec), answer.version), result: regression(answer.value) };
      },
    },
    MultiInference: {
      kind: 'unary',
      async handle(request: WireMulti, call) {
        let tasks: InferenceTask[] = [];
        const answer = await run(core, request.tasks[0]?.model_spec?.name, call, () => {
          tasks = tasksOf(request);
          const examples = examplesOf(request.input);
          return (meta) => core.multi(tasks, examples, meta);
        });
        const resultOf = (result: TaskResult): object =>
          'classes' in result ? { classification_result: classification(result.classes) } : { regression_result: regression(result.values) };
        return {
          results: tasks.map(({ spec }, i) => ({ model_spec: replySpec(spec, answer.version), ...resultOf(answer.value[i] as TaskResult) })),
        };
      },
    },
    GetModelMetadata: {
      kind: 'unary',
      handle(request: WireMetadata) {
        const spec = specOf(request.model_spec);
        if (request.metadata_field.length === 0) throw invalid('invalid_request', 'GetModelMetadataRequest must specify at least one metadata_field');
        const odd = request.metadata_field.find((field) => field !== METADATA_FIELD);
        if (odd !== undefined) throw invalid('invalid_request', `Metadata field ${odd} is not supported`);
        const { version, signatures } = core.signatures(spec);
        const value = signatureMap.encode({ signature_def: each(signatures, signatureDef) }).finish();
        return {
          model_spec: { name: spec.name, version: { value: version } },
          metadata: { [METADATA_FIELD]: { type_url: 'type.googleapis.com/tensorflow.serving.SignatureDefMap', value } },
        };
      },
    },
  };
  const methods = serviceMethods(root, PREDICTION_SERVICE, handlers);
  return { ...methods, Predict: { ...(methods['Predict'] as GrpcMethod), encode } };
}

const each = <T, U>(values: Record<string, T>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));

const tensorInfo = ({ tensor, datatype, shape }: SignatureTensor): object => ({
  name: tensor,
  dtype: tfType(datatype).number,
  tensor_shape: { dim: shape.map((size) => ({ size })) },
});

const signatureDef = ({ method, inputs, outputs }: ServingSignature): object => ({
  inputs: each(inputs, tensorInfo),
  outputs: each(outputs, tensorInfo),
  method_name: METHODS[method],
});
