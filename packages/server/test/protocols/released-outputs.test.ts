import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { identity } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

let kit: ServingKit;
afterEach(() => kit.close());

const VALUES = 2_000_000;

function message(seed: number): { head: string; data: Float32Array; bytes: Buffer } {
  const data = Float32Array.from({ length: VALUES }, (_, i) => (i * seed) % 8191);
  const head = JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, VALUES], parameters: { binary_data_size: data.byteLength } }],
    parameters: { binary_data_output: true },
  });
  return { head, data, bytes: Buffer.concat([Buffer.from(head), new Uint8Array(data.buffer)]) };
}

/** A client that lets the reply wait in the sockets' buffers, then takes it a little at a time. */
async function slowly(url: string, seed: number): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  const { head, bytes } = message(seed);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v2/models/wide/infer HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\ncontent-length: ${bytes.length}\r\ninference-header-content-length: ${Buffer.byteLength(head)}\r\n\r\n`,
  );
  socket.write(bytes);
  socket.pause();
  await sleep(300);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
    if (chunks.length % 20 === 0) await sleep(5);
  }
  const reply = Buffer.concat(chunks);
  return reply.subarray(reply.length - VALUES * 4);
}

it('a large reply is whole whoever reads it however slowly, though its memory is freed once it is sent', async () => {
  kit = await servingKit();
  await kit.deploy('wide', identity('FP32', ['N', 'K']));
  const replies = await Promise.all([1, 2, 3, 4].map((seed) => slowly(kit.url, seed)));
  for (const [i, reply] of replies.entries()) expect(reply.equals(Buffer.from(message(i + 1).data.buffer))).toBe(true);
});
