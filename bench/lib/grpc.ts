import { connect } from 'node:http2';
import { framed } from './h2load.ts';

/** A protobuf field: varint, or bytes with their length. */
const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))]);
const bytes = (field: number, body: Uint8Array | string): Buffer => {
  const payload = typeof body === 'string' ? Buffer.from(body) : body;
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(payload.length)]), payload]);
};

/** inference.ModelInferRequest with one FP32 input, its values in raw_input_contents (grpc_service.proto of Open Inference). */
export async function inferMessage(model: string, input: string, shape: number[], data: Float32Array): Promise<Uint8Array> {
  const tensor = Buffer.concat([bytes(1, input), bytes(2, 'FP32'), bytes(3, Buffer.from(shape.flatMap(varint)))]);
  return Buffer.concat([bytes(1, model), bytes(5, tensor), bytes(7, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))]);
}

/** One call. Returns the bytes of the reply; @throws when the status is not OK. */
export async function callOnce(port: number, method: string, message: Uint8Array): Promise<number> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    return await new Promise<number>((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' });
      let size = 0;
      let status = '';
      let text = '';
      const take = (headers: Record<string, unknown>) => {
        if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
        if (headers['grpc-message'] !== undefined) text = String(headers['grpc-message']);
      };
      stream.on('response', take);
      stream.on('trailers', take);
      stream.on('data', (chunk: Buffer) => (size += chunk.length));
      stream.on('end', () => (status === '0' ? resolve(size - 5) : reject(new Error(`${method}: status ${status} ${decodeURIComponent(text)}`))));
      stream.on('error', reject);
      stream.end(framed(message));
    });
  } finally {
    session.close();
  }
}
