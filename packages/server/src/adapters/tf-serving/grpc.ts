import type { Type } from 'protobufjs';
import { BinnacleError, isObject, messageOf } from '../../kernel/index.ts';
import {
  faultOf,
  garbled,
  GrpcPeer,
  inOrder,
  protosOf,
  type RemoteCall,
  type RemoteClient,
  type RemoteModelFacts,
  type RemoteTarget,
} from '../../remote/index.ts';
import type { Tensor } from '../../serving/index.ts';
import { DEFAULT_SIGNATURE, factsOf } from './signature.ts';
import { fromTensorProto, type TensorProto, toTensorProto } from './tensor-proto.ts';

const PACKAGE = 'tensorflow.serving';

/** A model of TensorFlow Serving over gRPC (PredictionService, ModelService); tensors travel as their bytes. */
export class TensorflowServingGrpc implements RemoteClient {
  readonly #peer: GrpcPeer;
  readonly #label: string;
  readonly #type: (name: string) => Type;
  readonly #model: object;

  static async open(target: RemoteTarget): Promise<TensorflowServingGrpc> {
    const root = await protosOf('tensorflow_serving.proto');
    return new TensorflowServingGrpc(target, (name) => root.lookupType(`${PACKAGE}.${name}`));
  }

  private constructor(target: RemoteTarget, type: (name: string) => Type) {
    const { spec, label } = target;
    this.#peer = new GrpcPeer(target);
    this.#label = label;
    this.#type = type;
    this.#model = { name: spec.model, signature_name: DEFAULT_SIGNATURE, ...(spec.version === undefined ? {} : { version: { value: spec.version } }) };
  }

  async describe(call: RemoteCall): Promise<RemoteModelFacts> {
    const request = { model_spec: this.#model, metadata_field: ['signature_def'] };
    const reply = await this.#call<{ metadata?: Record<string, { value: Buffer }> }>('PredictionService/GetModelMetadata', request, call);
    return this.#read(() => {
      const packed = reply.metadata?.signature_def?.value;
      if (packed === undefined) throw new Error('it has no signature_def');
      const { signature_def: signatures } = this.#type('SignatureDefMap').decode(packed) as unknown as { signature_def?: Record<string, unknown> };
      // Decoded messages are objects of protobufjs's; entries are read by name.
      return factsOf(isObject(signatures) ? Object.fromEntries(Object.entries(signatures).map(([name, value]) => [name, plain(value)])) : undefined);
    });
  }

  async probe(call: RemoteCall): Promise<void> {
    const reply = await this.#call<{ model_version_status?: { state?: number }[] }>('ModelService/GetModelStatus', { model_spec: this.#model }, call);
    if (reply.model_version_status?.some(({ state }) => state === 30) !== true)
      throw faultOf(this.#label, { status: 503, text: 'no version of the model is available' });
  }

  async infer(inputs: Tensor[], outputs: readonly string[], call: RemoteCall): Promise<Tensor[]> {
    const request = {
      model_spec: this.#model,
      inputs: Object.fromEntries(inputs.map((input) => [input.name, toTensorProto(input)])),
      output_filter: outputs,
    };
    const reply = await this.#call<{ outputs?: Record<string, TensorProto> }>('PredictionService/Predict', request, call);
    return this.#read(() =>
      inOrder(
        Object.entries(reply.outputs ?? {}).map(([name, proto]) => fromTensorProto(name, proto)),
        outputs,
      ),
    );
  }

  close(): void {
    this.#peer.close();
  }

  #call<T>(method: string, message: object, call: RemoteCall): Promise<T> {
    const name = method.split('/')[1] ?? '';
    const [request, reply] = [this.#type(`${name}Request`), this.#type(`${name}Response`)];
    return this.#peer.call<T>({ ...call, method: `/${PACKAGE}.${method}`, request, reply, message, repeatable: true });
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof BinnacleError ? error : garbled(this.#label, messageOf(error));
    }
  }
}

const plain = (signature: unknown): unknown => {
  const { inputs, outputs } = signature as { inputs?: object; outputs?: object };
  return { inputs: { ...inputs }, outputs: { ...outputs } };
};
