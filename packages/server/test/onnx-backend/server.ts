import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { createGraphInspector } from '../../src/adapters/onnx/index.ts';
import { messageOf, silentLogger } from '../../src/kernel/index.ts';
import { openInferenceGrpc } from '../../src/protocols/open-inference/index.ts';
import type { ModelPackage } from '../../src/registry/index.ts';
import type { ModelRuntime } from '../../src/serving/index.ts';
import { startGrpc } from '../support/grpc.ts';
import { servingKit } from '../support/serving.ts';

async function bodyOf(request: IncomingMessage): Promise<{ name: string; file: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** A server behind both transports, and a socket by which the tests put models on it and take them off. */
export async function backendServer(runtime: ModelRuntime) {
  const kit = await servingKit({ runtime });
  const grpc = await startGrpc([openInferenceGrpc({ core: kit.core, logger: silentLogger })]);
  const inspector = createGraphInspector();

  async function deploy(name: string, file: string): Promise<string | null> {
    try {
      const { inputs, outputs } = await inspector.inspect(file);
      const pkg: ModelPackage = {
        id: name,
        model: name,
        version: 1,
        runId: null,
        dir: dirname(file),
        flavors: ['onnx'],
        signature: null,
        runtime: { kind: 'onnx' },
        onnxFile: file,
        problem: null,
        tensors: { inputs, outputs },
        goldenFile: null,
        profileFile: null,
        trainingDataFile: null,
        settings: {},
      };
      kit.registry.packages.set(name, [pkg]);
      const { state, message } = await kit.serving.deploy(name, { model: name, traffic: [{ version: 1, weight: 100, shadow: false }] });
      return state === 'ready' ? null : message;
    } catch (error) {
      return messageOf(error);
    }
  }

  const control = createServer((request, response) => {
    void (async () => {
      const { name, file } = await bodyOf(request);
      const error = request.url === '/deploy' ? await deploy(name, file) : await kit.serving.delete(name).then(() => null, messageOf);
      response.end(JSON.stringify({ error }));
    })();
  });
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
  return {
    addresses: [`http://127.0.0.1:${(control.address() as AddressInfo).port}`, kit.url.replace('http://', ''), grpc.target],
    predictions: kit.predictions,
    failures: kit.failures,
    async close() {
      control.closeAllConnections();
      control.close();
      await grpc.close();
      await kit.close();
    },
  };
}
