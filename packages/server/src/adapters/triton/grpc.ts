import type { Type } from 'protobufjs';
import { BinnacleError, messageOf } from '../../kernel/index.ts';
import {
  checkDatatype,
  checkShape,
  garbled,
  GrpcPeer,
  inOrder,
  parametersOf,
  protosOf,
  type RemoteCall,
  type RemoteClient,
  type RemoteModelFacts,
  type RemoteTarget,
  valuesFromRaw,
  valuesToRaw,
} from '../../remote/index.ts';
import type { Datatype, Tensor } from '../../serving/index.ts';
import { type Contents, valuesFromContents } from './contents.ts';
import { factsOf, type ModelConfig } from './facts.ts';

const SERVICE = '/inference.GRPCInferenceService/';

interface InferReply {
  outputs: { name: string; datatype: string; shape: unknown[]; contents?: Contents }[];
  raw_output_contents: Buffer[];
}

interface Method {
  request: Type;
  reply: Type;
}

/** A model of any Open Inference server over gRPC, after the public grpc_service.proto; tensors travel as raw contents. */
export class OpenInferenceGrpc implements RemoteClient {
  readonly #peer: GrpcPeer;
  readonly #methods: Record<string, Method>;
  readonly #label: string;
  readonly #name: { name: string; version: string };

  static async open(target: RemoteTarget): Promise<OpenInferenceGrpc> {
    const root = await protosOf('grpc_service.proto');
    const methods = ['ServerMetadata', 'ModelMetadata', 'ModelConfig', 'ModelReady', 'ModelInfer'].map((name): [string, Method] => [
      name,
      { request: root.lookupType(`inference.${name}Request`), reply: root.lookupType(`inference.${name}Response`) },
    ]);
    return new OpenInferenceGrpc(new GrpcPeer(target), Object.fromEntries(methods), target);
  }

  private constructor(peer: GrpcPeer, methods: Record<string, Method>, { label, spec }: RemoteTarget) {
    this.#peer = peer;
    this.#methods = methods;
    this.#label = label;
    this.#name = { name: spec.model, version: spec.version ?? '' };
  }

  async describe(call: RemoteCall): Promise<RemoteModelFacts> {
    const { extensions = [] } = await this.#call<{ extensions?: string[] }>('ServerMetadata', {}, call);
    const metadata = await this.#call<{ inputs?: unknown; outputs?: unknown }>('ModelMetadata', this.#name, call);
    const config = extensions.includes('model_configuration')
      ? (await this.#call<{ config?: ModelConfig }>('ModelConfig', this.#name, call)).config
      : undefined;
    return this.#read(() => factsOf(metadata, config));
  }

  async probe(call: RemoteCall): Promise<void> {
    const { ready } = await this.#call<{ ready?: boolean }>('ModelReady', this.#name, call);
    if (ready !== true) throw garbled(this.#label, 'that the model is not ready');
  }

  async infer(inputs: Tensor[], outputs: readonly string[], call: RemoteCall): Promise<Tensor[]> {
    const reply = await this.#call<InferReply>(
      'ModelInfer',
      {
        model_name: this.#name.name,
        model_version: this.#name.version,
        parameters: parameterMessages(parametersOf(call.call)),
        inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
        outputs: outputs.map((name) => ({ name })),
        raw_input_contents: inputs.map(valuesToRaw),
      },
      call,
    );
    return this.#read(() =>
      inOrder(
        reply.outputs.map((output, i) => decode(output, reply.raw_output_contents[i])),
        outputs,
      ),
    );
  }

  close(): void {
    this.#peer.close();
  }

  #call<T>(name: string, message: object, call: RemoteCall): Promise<T> {
    const { request, reply } = this.#methods[name] as Method;
    // A step of a sequence counts each time that it arrives.
    return this.#peer.call<T>({ ...call, method: SERVICE + name, request, reply, message, repeatable: call.call?.sequence === undefined });
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof BinnacleError ? error : garbled(this.#label, messageOf(error));
    }
  }
}

function decode({ name, datatype, shape, contents }: InferReply['outputs'][number], raw: Buffer | undefined): Tensor {
  const [type, sizes]: [Datatype, number[]] = [checkDatatype(name, datatype), checkShape(name, shape)];
  return raw === undefined ? valuesFromContents(name, type, sizes, contents ?? {}) : valuesFromRaw(name, type, sizes, raw);
}

function parameterMessages(parameters: ReturnType<typeof parametersOf>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(parameters ?? {}).map(([key, value]) => {
      if (typeof value === 'boolean') return [key, { bool_param: value }];
      // Triton takes a sequence's id as a signed number only, and reads it as an unsigned one.
      if (typeof value === 'bigint') return [key, { int64_param: String(BigInt.asIntN(64, value)) }];
      if (typeof value === 'number') return [key, Number.isInteger(value) ? { int64_param: value } : { double_param: value }];
      return [key, { string_param: value }];
    }),
  );
}
