import { BinnacleError, messageOf } from '../../kernel/index.ts';
import {
  errorText,
  faultOf,
  garbled,
  HttpPeer,
  inOrder,
  openInferenceOutputs,
  openInferenceRequest,
  parseReply,
  type RemoteCall,
  type RemoteClient,
  type RemoteModelFacts,
  type RemoteTarget,
  retryAfterOf,
} from '../../remote/index.ts';
import type { Tensor } from '../../serving/index.ts';
import { factsOf, type ModelConfig } from './facts.ts';

/**
 * A model of any Open Inference server (Triton, KServe, MLServer, Binnacle) over REST, after the specification of
 * github.com/kserve/open-inference-protocol and Triton's extension_binary_data.md. Tensors travel as binary where the server says that it can.
 */
export class OpenInferenceRest implements RemoteClient {
  readonly #peer: HttpPeer;
  readonly #label: string;
  readonly #model: string;
  #binary = false;

  constructor({ spec, label, http }: RemoteTarget) {
    this.#peer = new HttpPeer({ ...http, url: spec.url });
    this.#label = label;
    this.#model = `/v2/models/${encodeURIComponent(spec.model)}${spec.version === undefined ? '' : `/versions/${encodeURIComponent(spec.version)}`}`;
  }

  async describe(call: RemoteCall): Promise<RemoteModelFacts> {
    const server = (await this.#get('/v2', call)) as { extensions?: unknown };
    const extensions = Array.isArray(server.extensions) ? server.extensions : [];
    // KServe's specification and Triton name the extension differently.
    this.#binary = extensions.includes('binary_tensor_data') || extensions.includes('binary_data');
    const metadata = (await this.#get(this.#model, call)) as Record<string, unknown>;
    const config = extensions.includes('model_configuration') ? ((await this.#get(`${this.#model}/config`, call)) as ModelConfig) : undefined;
    return this.#read(() => factsOf(metadata, config));
  }

  async probe(call: RemoteCall): Promise<void> {
    const reply = await this.#peer.call({ method: 'GET', path: `${this.#model}/ready`, ...call, repeatable: true });
    if (reply.status !== 200)
      throw faultOf(this.#label, { status: reply.status === 400 ? 503 : reply.status, text: errorText(reply) || 'the model is not ready' });
  }

  async infer(inputs: Tensor[], outputs: readonly string[], call: RemoteCall): Promise<Tensor[]> {
    const { json: text, tensors } = openInferenceRequest(inputs, outputs, call.call, this.#binary);
    const json = Buffer.from(text);
    const headers: Record<string, string> = { 'content-type': this.#binary ? 'application/octet-stream' : 'application/json' };
    if (this.#binary) headers['inference-header-content-length'] = String(json.length);
    const reply = await this.#peer.call({
      method: 'POST',
      path: `${this.#model}/infer`,
      headers,
      body: [json, ...tensors],
      ...call,
      // A step of a sequence counts each time that it arrives.
      repeatable: call.call?.sequence === undefined,
    });
    if (reply.status !== 200) throw faultOf(this.#label, { status: reply.status, text: errorText(reply), retryAfterSeconds: retryAfterOf(reply) });
    const head = reply.headers['inference-header-content-length'];
    return this.#read(() => inOrder(openInferenceOutputs(reply.body, head === undefined ? reply.body.length : Number(head)), outputs));
  }

  close(): void {
    this.#peer.close();
  }

  async #get(path: string, call: RemoteCall): Promise<unknown> {
    const reply = await this.#peer.call({ method: 'GET', path, ...call, repeatable: true });
    // Triton's word for a model that it does not have is an invalid argument.
    if (reply.status !== 200) throw faultOf(this.#label, { status: reply.status === 400 ? 404 : reply.status, text: errorText(reply) });
    return this.#read(() => {
      const parsed = parseReply(reply.body.toString('utf8'), false);
      if (typeof parsed !== 'object' || parsed === null) throw new Error('it is no JSON object');
      return parsed;
    });
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof BinnacleError ? error : garbled(this.#label, messageOf(error));
    }
  }
}
