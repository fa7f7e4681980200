import { BinnacleError, invalid, isObject, messageOf } from '../../kernel/index.ts';
import {
  errorText,
  faultOf,
  garbled,
  HttpPeer,
  inOrder,
  parseReply,
  type RemoteCall,
  type RemoteClient,
  type RemoteModelFacts,
  type RemoteTarget,
  retryAfterOf,
  shapeOf,
  valuesFromJson,
  valuesToJson,
} from '../../remote/index.ts';
import { bytesOfText, type Datatype, type Tensor, textOfBytes } from '../../serving/index.ts';
import { factsOf } from './signature.ts';

/** A model of TensorFlow Serving over REST, by its columnar format (`inputs` → `outputs`), after tensorflow.org/tfx/serving/api_rest. */
export class TensorflowServingRest implements RemoteClient {
  readonly #peer: HttpPeer;
  readonly #label: string;
  readonly #model: string;
  #outputs: RemoteModelFacts['outputs'] = [];

  constructor({ spec, label, http }: RemoteTarget) {
    this.#peer = new HttpPeer({ ...http, url: spec.url });
    this.#label = label;
    this.#model = `/v1/models/${encodeURIComponent(spec.model)}${spec.version === undefined ? '' : `/versions/${spec.version}`}`;
  }

  async describe(call: RemoteCall): Promise<RemoteModelFacts> {
    const reply = await this.#peer.call({ method: 'GET', path: `${this.#model}/metadata`, ...call, repeatable: true });
    if (reply.status !== 200) throw faultOf(this.#label, { status: reply.status, text: errorText(reply) });
    const facts = this.#read(() => {
      const parsed = JSON.parse(reply.body.toString('utf8')) as { metadata?: { signature_def?: { signature_def?: unknown } } };
      return factsOf(parsed.metadata?.signature_def?.signature_def);
    });
    this.#outputs = facts.outputs;
    return facts;
  }

  async probe(call: RemoteCall): Promise<void> {
    const reply = await this.#peer.call({ method: 'GET', path: this.#model, ...call, repeatable: true });
    const text = errorText(reply);
    if (reply.status !== 200) throw faultOf(this.#label, { status: reply.status, text });
    if (!/"AVAILABLE"/.test(text)) throw faultOf(this.#label, { status: 503, text: 'no version of the model is available' });
  }

  async infer(inputs: Tensor[], outputs: readonly string[], call: RemoteCall): Promise<Tensor[]> {
    const reply = await this.#peer.call({
      method: 'POST',
      path: `${this.#model}:predict`,
      headers: { 'content-type': 'application/json' },
      body: [Buffer.from(requestOf(inputs))],
      ...call,
      repeatable: true,
    });
    if (reply.status !== 200) throw faultOf(this.#label, { status: reply.status, text: errorText(reply), retryAfterSeconds: retryAfterOf(reply) });
    return this.#read(() => inOrder(this.#tensors(reply.body.toString('utf8')), outputs));
  }

  /** A single output stands without its name. */
  #tensors(text: string): Tensor[] {
    const parsed = parseReply(
      text,
      this.#outputs.some(({ datatype }) => datatype === 'INT64' || datatype === 'UINT64'),
    );
    const values = isObject(parsed) ? parsed.outputs : undefined;
    if (values === undefined) throw new Error('it has no outputs');
    const [only] = this.#outputs;
    if (this.#outputs.length === 1 && only !== undefined && (!isObject(values) || 'b64' in values)) return [tensorOf(only.name, only.datatype, values)];
    if (!isObject(values)) throw new Error('its outputs have no names');
    return this.#outputs.flatMap(({ name, datatype }) => (name in values ? [tensorOf(name, datatype, values[name])] : []));
  }

  close(): void {
    this.#peer.close();
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof BinnacleError ? error : garbled(this.#label, messageOf(error));
    }
  }
}

/** Strings as base64: what is in them is nobody's business on the way. */
const string = (value: string): string => `{"b64":"${bytesOfText(value).toString('base64')}"}`;

function requestOf(inputs: readonly Tensor[]): string {
  try {
    return `{"inputs":{${inputs.map((input) => `${JSON.stringify(input.name)}:${valuesToJson(input, { bareNaN: true, string }, input.shape)}`).join(',')}}}`;
  } catch (error) {
    throw invalid('no_json_form', messageOf(error), { cause: error });
  }
}

function tensorOf(name: string, datatype: string, values: unknown): Tensor {
  return valuesFromJson(name, datatype as Datatype, shapeOf(values), values, (value) => {
    if (isObject(value) && typeof value.b64 === 'string') return textOfBytes(Buffer.from(value.b64, 'base64'));
    if (typeof value !== 'string') throw new Error(`output '${name}' holds no string`);
    return value;
  });
}
