import { expect, it } from 'vitest';
import type { GrpcStreamCall } from '../../../http/grpc/index.ts';
import { silentLogger } from '../../../kernel/index.ts';
import type { OpenInferenceCore } from '../core.ts';
import { modelStreamInfer, type StreamReply } from './infer.ts';
import type { WireRequest } from './wire.ts';

const request = (id: string): WireRequest => ({ model_name: 'm', model_version: '', id, parameters: {}, inputs: [], outputs: [], raw_input_contents: [] });

it('writes the next answer of a stream while the shadows of the one before still read their message', async () => {
  const { promise: shadow, resolve: shadowed } = Promise.withResolvers<void>();
  const core = {
    memory: { read: () => Buffer.alloc(0) },
    refused: () => {},
    infer: async (model: string, _version: unknown, { id }: { id: string }) => ({ model, version: 1, id, outputs: [], finish: () => shadow }),
  } as unknown as OpenInferenceCore;
  const written: string[] = [];
  const call = {
    headers: {},
    path: '/',
    signal: new AbortController().signal,
    write: (reply: StreamReply) => void written.push('reply' in reply ? String(reply.reply.head.id) : reply.error),
  } as unknown as GrpcStreamCall<StreamReply>;
  const { message } = modelStreamInfer(core, call, silentLogger);
  let released = 0;
  const done = ['a', 'b', 'c'].map((id) => (message(request(id)) as Promise<void>).then(() => released++));
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toEqual(['a', 'b', 'c']);
  expect(released).toBe(0);
  shadowed();
  await Promise.all(done);
});
