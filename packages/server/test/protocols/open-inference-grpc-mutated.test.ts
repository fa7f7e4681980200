import { type ClientHttp2Session, connect } from 'node:http2';
import type { Root } from 'protobufjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadProtos } from '../../src/http/grpc/index.ts';
import { type Logger, silentLogger } from '../../src/kernel/index.ts';
import { openInferenceGrpc } from '../../src/protocols/open-inference/index.ts';
import { type GrpcServerKit, startGrpc } from '../support/grpc.ts';
import { identity, sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

const SERVICE = 'inference.GRPCInferenceService';
const REQUESTS = 2000;
const TOGETHER = 50;

let kit: ServingKit;
let grpc: GrpcServerKit;
let root: Root;
const defects: unknown[] = [];
beforeAll(async () => {
  kit = await servingKit();
  const logger: Logger = { ...silentLogger, error: (...args) => defects.push(args) };
  grpc = await startGrpc([openInferenceGrpc({ core: kit.core, logger })], { logger, maxMessageBytes: 1 << 20 });
  await kit.deploy('sum', sum(2));
  await kit.deploy('BYTES', identity('BYTES'));
  root = await loadProtos('grpc_service.proto');
});
afterAll(async () => {
  await grpc?.close();
  await kit?.close();
});

/** Sound requests, to be broken. */
function seeds(): { method: string; bytes: Buffer }[] {
  const encode = (method: string, type: string, message: object) => {
    const of = root.lookupType(`inference.${type}`);
    return { method, bytes: Buffer.from(of.encode(of.fromObject(message)).finish()) };
  };
  const floats = Buffer.from(Float32Array.from([1, 2]).buffer);
  const x = { name: 'x', datatype: 'FP32', shape: [1, 2] };
  const infers = [
    { model_name: 'sum', id: 'a', inputs: [x], raw_input_contents: [floats] },
    {
      model_name: 'sum',
      inputs: [{ ...x, contents: { fp32_contents: [1, 2] } }],
      outputs: [{ name: 'y', parameters: { classification: { int64_param: 1 } } }],
      parameters: { priority: { uint64_param: 1 }, sequence_id: { string_param: 's' }, sequence_start: { bool_param: true } },
    },
    { model_name: 'BYTES', inputs: [{ ...x, datatype: 'BYTES' }], raw_input_contents: [Buffer.from([1, 0, 0, 0, 65, 1, 0, 0, 0, 66])] },
  ];
  return [
    ...infers.flatMap((message) => [encode('ModelInfer', 'ModelInferRequest', message), encode('ModelStreamInfer', 'ModelInferRequest', message)]),
    encode('ModelConfig', 'ModelConfigRequest', { name: 'sum', version: '1' }),
    encode('ModelStatistics', 'ModelStatisticsRequest', { name: 'sum' }),
    encode('RepositoryModelLoad', 'RepositoryModelLoadRequest', { model_name: 'none', parameters: { 'file:1/a': { bytes_param: floats } } }),
    encode('SystemSharedMemoryRegister', 'SystemSharedMemoryRegisterRequest', { name: 'r', key: '/none', byte_size: 5 }),
    encode('TraceSetting', 'TraceSettingRequest', { model_name: 'sum', settings: { trace_rate: { value: ['5'] } } }),
  ];
}

/** The same numbers at every run. */
function numbers(): (below: number) => number {
  let state = 12_345;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

function mutated(bytes: Buffer, random: (below: number) => number): Buffer {
  let out = Buffer.from(bytes);
  for (let left = random(4); left >= 0; left--) {
    const at = random(out.length + 1);
    const kind = random(5);
    if (kind === 0 && at < out.length) out[at] = random(256);
    else if (kind === 1) out = Buffer.concat([out.subarray(0, at), Buffer.alloc(1 + random(8), 255), out.subarray(at)]);
    else if (kind === 2) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + random(8))]);
    else if (kind === 3) out = out.subarray(0, at);
    else out = Buffer.concat([out, out.subarray(at)]);
  }
  return out;
}

/** The status that a call ended with. */
function answer(session: ClientHttp2Session, method: string, framed: Buffer, headers: Record<string, string>): Promise<string> {
  const request = session.request({ ':method': 'POST', ':path': `/${SERVICE}/${method}`, 'content-type': 'application/grpc', te: 'trailers', ...headers });
  return new Promise((resolve) => {
    let status = 'none';
    const take = (from: Record<string, unknown>): void => {
      if (typeof from['grpc-status'] === 'string') status = from['grpc-status'];
    };
    request.on('response', take).on('trailers', take);
    request.on('error', () => {});
    request.on('close', () => resolve(status));
    request.resume();
    request.end(framed);
  });
}

it('whatever comes is answered with a status, and the server goes on', async () => {
  const random = numbers();
  const all = seeds();
  const session = connect(`http://${grpc.target}`);
  const statuses = new Map<string, number>();
  for (let done = 0; done < REQUESTS; done += TOGETHER) {
    const calls = Array.from({ length: TOGETHER }, () => {
      const { method, bytes } = all[random(all.length)] as { method: string; bytes: Buffer };
      const body = mutated(bytes, random);
      const head = Buffer.alloc(5);
      head[0] = random(20) === 0 ? random(256) : 0;
      head.writeUInt32BE(random(20) === 0 ? random(2 ** 31) : body.length, 1);
      return answer(session, method, Buffer.concat([head, body]), random(30) === 0 ? { 'grpc-encoding': 'gzip' } : {});
    });
    for (const status of await Promise.all(calls)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  // OK, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL (what cannot be read), UNAVAILABLE.
  expect([...statuses.keys()].filter((status) => !['0', '3', '5', '8', '12', '13', '14'].includes(status))).toEqual([]);
  expect(statuses.get('0')).toBeGreaterThan(0);
  expect(defects).toEqual([]);
  expect(await answer(session, 'ServerLive', Buffer.alloc(5), {})).toBe('0');
  session.close();
}, 60_000);
