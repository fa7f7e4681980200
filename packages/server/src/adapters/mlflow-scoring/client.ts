import { BinnacleError, invalid, messageOf } from '../../kernel/index.ts';
import { type Signature, tensorsOfSignature } from '../../registry/index.ts';
import {
  errorText,
  faultOf,
  garbled,
  HttpPeer,
  inOrder,
  predictionsOf,
  type RemoteCall,
  type RemoteClient,
  type RemoteModelFacts,
  type RemoteTarget,
  retryAfterOf,
  scoringBody,
  type WantedOutput,
} from '../../remote/index.ts';
import type { Tensor } from '../../serving/index.ts';

/** A model behind MLflow's scoring protocol (`mlflow models serve`, SageMaker's containers): POST /invocations, GET /ping; fed by the version's signature. */
export class MlflowScoring implements RemoteClient {
  readonly #peer: HttpPeer;
  readonly #label: string;
  readonly #signature: Signature;
  readonly #facts: RemoteModelFacts;
  readonly #outputs: WantedOutput[];

  constructor({ spec, label, signature, http }: RemoteTarget) {
    const tensors = tensorsOfSignature(signature);
    if (signature === null || tensors === null)
      throw invalid(
        'signature_missing',
        `${label} speaks MLflow's scoring protocol, which does not say what a model takes: register the version with a signature of its inputs.`,
      );
    this.#peer = new HttpPeer({ ...http, url: spec.url });
    this.#label = label;
    this.#signature = signature;
    // Without a signature of the outputs there is one, of whatever comes.
    this.#outputs = tensors.outputs.length === 0 ? [{ name: 'predictions', datatype: '' }] : tensors.outputs;
    this.#facts = {
      inputs: tensors.inputs,
      outputs: tensors.outputs.length === 0 ? [{ name: 'predictions', datatype: 'FP64', shape: [-1] }] : tensors.outputs,
      // A table in, a row out for each: that is what the protocol is for.
      batchable: tensors.inputs.every(({ shape }) => shape[0] === -1),
      checksInputs: false,
    };
  }

  async describe(call: RemoteCall): Promise<RemoteModelFacts> {
    await this.probe(call);
    return this.#facts;
  }

  async probe(call: RemoteCall): Promise<void> {
    const reply = await this.#peer.call({ method: 'GET', path: '/ping', ...call, repeatable: true });
    // A server that has the invocations alone answers here, too.
    if (reply.status !== 200 && reply.status !== 404) throw faultOf(this.#label, { status: reply.status, text: errorText(reply) });
  }

  async infer(inputs: Tensor[], outputs: readonly string[], call: RemoteCall): Promise<Tensor[]> {
    const body = Buffer.from(scoringBody(this.#signature, inputs, call.call));
    const reply = await this.#peer.call({
      method: 'POST',
      path: '/invocations',
      headers: { 'content-type': 'application/json' },
      body: [body],
      ...call,
      repeatable: true,
    });
    if (reply.status !== 200) throw faultOf(this.#label, { status: reply.status, text: errorText(reply), retryAfterSeconds: retryAfterOf(reply) });
    try {
      return inOrder(predictionsOf(reply.body.toString('utf8'), this.#outputs), outputs);
    } catch (error) {
      throw error instanceof BinnacleError ? error : garbled(this.#label, messageOf(error));
    }
  }

  close(): void {
    this.#peer.close();
  }
}
