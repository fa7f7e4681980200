import type { IncomingMessage, ServerResponse } from 'node:http';
import { generateJson, parseGenerateRequest } from './generate.ts';
import { type HttpOptions, runInference } from './http-infer.ts';

/** POST …/generate (one JSON object) and …/generate_stream (Server-Sent Events, one for each reply of the model). */
export function generate(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  target: { name: string; version: number | undefined },
  stream: boolean,
): Promise<void> {
  let named = false;
  return runInference(
    options,
    request,
    response,
    target,
    (body) => {
      const parsed = parseGenerateRequest(body, options.core.modelMetadata(target.name, target.version).inputs);
      named = parsed.id !== undefined;
      return parsed;
    },
    (reply) => {
      const json = generateJson(reply, named);
      const text = stream ? `data: ${json}\n\n` : json;
      response
        .writeHead(200, {
          'content-type': stream ? 'text/event-stream; charset=utf-8' : 'application/json',
          ...(stream ? { 'cache-control': 'no-cache' } : {}),
          'content-length': Buffer.byteLength(text),
          'x-request-id': reply.id,
        })
        .end(text);
      return undefined;
    },
  );
}
