import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { BinnacleError, invalid, isObject, messageOf } from '../../kernel/index.ts';
import { type Signature, tensorsOfSignature } from '../../registry/index.ts';
import {
  away,
  cancelled,
  faultOf,
  garbled,
  guardedLookup,
  inOrder,
  openInferenceOutputs,
  openInferenceRequest,
  predictionsOf,
  type RemoteCall,
  type RemoteClient,
  type RemoteModelFacts,
  type RemoteTarget,
  scoringBody,
  timedOut,
  tooLarge,
  type WantedOutput,
} from '../../remote/index.ts';
import type { Tensor } from '../../serving/index.ts';

/**
 * A model behind an AWS Lambda function, called by Invoke (RequestResponse). The event is an Open Inference request in JSON, or MLflow's scoring body; the
 * answer is the same protocol's, bare or as a function behind an HTTP gateway gives it ({statusCode, body}). Credentials come from AWS's own chain.
 */
export class AwsLambda implements RemoteClient {
  readonly #client: LambdaClient;
  readonly #invoke: typeof import('@aws-sdk/client-lambda').InvokeCommand;
  readonly #target: RemoteTarget;
  readonly #signature: Signature;
  readonly #facts: RemoteModelFacts;
  readonly #outputs: WantedOutput[];
  readonly #agents: (HttpAgent | HttpsAgent)[];

  static async open(target: RemoteTarget): Promise<AwsLambda> {
    return new AwsLambda(target, await import('@aws-sdk/client-lambda'));
  }

  private constructor(target: RemoteTarget, sdk: typeof import('@aws-sdk/client-lambda')) {
    const { spec, label, signature, http } = target;
    const tensors = tensorsOfSignature(signature);
    if (signature === null || tensors === null)
      throw invalid(
        'signature_missing',
        `${label} is a Lambda function, which does not say what it takes: register the version with a signature of its inputs.`,
      );
    const url = new URL(spec.url);
    const settings = { keepAlive: true, maxSockets: http.connections, ...(http.guardLookup ? { lookup: guardedLookup } : {}) };
    const [httpAgent, httpsAgent] = [new HttpAgent(settings), new HttpsAgent(settings)];
    const region =
      url.protocol === 'lambda:' ? url.hostname : (/^lambda\.([a-z0-9-]+)\.amazonaws\.com/.exec(url.hostname)?.[1] ?? url.searchParams.get('region') ?? '');
    this.#agents = [httpAgent, httpsAgent];
    this.#client = new sdk.LambdaClient({
      ...(region === '' ? {} : { region }),
      ...(url.protocol === 'lambda:' ? {} : { endpoint: `${url.origin}${url.pathname}` }),
      // What was sent is not sent again but by our own rules.
      maxAttempts: 1,
      requestHandler: { httpAgent, httpsAgent, throwOnRequestTimeout: true },
    });
    this.#invoke = sdk.InvokeCommand;
    this.#target = target;
    this.#signature = signature;
    this.#outputs = tensors.outputs.length === 0 ? [{ name: 'predictions', datatype: '' }] : tensors.outputs;
    this.#facts = {
      inputs: tensors.inputs,
      outputs: tensors.outputs.length === 0 ? [{ name: 'predictions', datatype: 'FP64', shape: [-1] }] : tensors.outputs,
      batchable: spec.payload === 'mlflow' && tensors.inputs.every(({ shape }) => shape[0] === -1),
      checksInputs: false,
    };
  }

  async describe(call: RemoteCall): Promise<RemoteModelFacts> {
    await this.probe(call);
    return this.#facts;
  }

  /** A dry run: whether the function is there and may be called, without running it. */
  async probe(call: RemoteCall): Promise<void> {
    await this.#send({ InvocationType: 'DryRun' }, call);
  }

  async infer(inputs: Tensor[], outputs: readonly string[], call: RemoteCall): Promise<Tensor[]> {
    const mlflow = this.#target.spec.payload === 'mlflow';
    const body = mlflow ? scoringBody(this.#signature, inputs, call.call) : openInferenceRequest(inputs, outputs, call.call, false).json;
    const text = await this.#send({ InvocationType: 'RequestResponse', Payload: Buffer.from(body) }, call);
    try {
      const all = mlflow ? predictionsOf(text, this.#outputs) : openInferenceOutputs(Buffer.from(text));
      return inOrder(all, outputs);
    } catch (error) {
      throw error instanceof BinnacleError ? error : garbled(this.#target.label, messageOf(error));
    }
  }

  async #send(what: { InvocationType: 'DryRun' | 'RequestResponse'; Payload?: Buffer }, { deadline, signal }: RemoteCall): Promise<string> {
    const { label, spec, http } = this.#target;
    const gone = (): boolean => signal?.aborted === true;
    if (gone()) throw cancelled();
    const started = performance.now();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), Math.max(1, deadline - started));
    try {
      const reply = await this.#client.send(
        new this.#invoke({ FunctionName: spec.model, ...(spec.version === undefined ? {} : { Qualifier: spec.version }), ...what }),
        {
          abortSignal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
        },
      );
      const bytes = reply.Payload ?? new Uint8Array();
      // Lambda itself ends at 6 MB; an endpoint that only speaks its API may not.
      if (bytes.length > http.maxReplyBytes) throw tooLarge(label, http.maxReplyBytes);
      return this.#body(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), reply.FunctionError);
    } catch (error) {
      if (error instanceof BinnacleError) throw error;
      if (gone()) throw cancelled();
      if (late.signal.aborted) throw timedOut(label, performance.now() - started);
      throw this.#fault(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The function's own answer, out of what a gateway would have unwrapped. */
  #body(text: string, failed: string | undefined): string {
    const { label } = this.#target;
    if (failed === undefined && !text.includes('"statusCode"')) return text;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (error) {
      throw garbled(label, messageOf(error));
    }
    if (failed !== undefined) {
      const said = isObject(parsed) && typeof parsed.errorMessage === 'string' ? parsed.errorMessage : text;
      if (/Task timed out/.test(said)) throw timedOut(label, Number(/after ([\d.]+) seconds/.exec(said)?.[1] ?? 0) * 1000);
      throw faultOf(label, { status: 500, text: `the function failed: ${said}` });
    }
    if (!isObject(parsed) || typeof parsed.statusCode !== 'number') return text;
    const inner = typeof parsed.body === 'string' ? parsed.body : JSON.stringify(parsed.body ?? '');
    const body = parsed.isBase64Encoded === true ? Buffer.from(inner, 'base64').toString('utf8') : inner;
    if (parsed.statusCode >= 200 && parsed.statusCode < 300) return body;
    throw faultOf(label, { status: parsed.statusCode, text: errorOf(body) });
  }

  #fault(error: unknown): Error {
    const { label } = this.#target;
    const { name, message, code, $metadata } = error as { name?: string; message?: string; code?: string; $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode;
    if (name === 'CredentialsProviderError') return faultOf(label, { status: 401, text: message ?? name });
    if (status !== undefined) return faultOf(label, { status, text: `${name}: ${message}` });
    return away(label, code ?? message ?? String(error), error);
  }

  close(): void {
    this.#client.destroy();
    for (const agent of this.#agents) agent.destroy();
  }
}

function errorOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const said = isObject(parsed) ? (parsed.error ?? parsed.message) : undefined;
    return typeof said === 'string' ? said : body;
  } catch {
    return body;
  }
}
