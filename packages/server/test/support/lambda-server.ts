import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', AWS_REGION: 'eu-west-1' };

/** What a function does with its event; a thrown error is its failure. */
export type LambdaFunction = (event: unknown) => unknown;

const hash = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Signature Version 4, computed anew from what came. */
function signed(request: IncomingMessage, body: Buffer): boolean {
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/lambda\/aws4_request), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
    request.headers.authorization ?? '',
  );
  if (match === null) return false;
  const [, id, scope = '', names = '', signature] = match;
  const url = new URL(request.url ?? '/', 'http://x');
  const path = url.pathname.split('/').map(encodeURIComponent).join('/');
  const query = [...url.searchParams].toSorted().map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, path, query.join('&'), headers.join(''), names, hash(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash(canonical)].join('\n');
  const [day = '', region = '', service = ''] = scope.split('/');
  const key = [region, service, 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${CREDENTIALS.AWS_SECRET_ACCESS_KEY}`, day));
  return id === CREDENTIALS.AWS_ACCESS_KEY_ID && hmac(key, toSign).toString('hex') === signature;
}

/** A server that speaks Lambda's Invoke and checks its signature: Lambda itself runs at AWS only. */
export async function lambdaServer(functions: Record<string, LambdaFunction>) {
  const invocations: { name: string; type: string; qualifier: string | null; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const answer = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(status === 204 ? '' : JSON.stringify(value));
    };
    const url = new URL(request.url ?? '/', 'http://x');
    const name = decodeURIComponent(/^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url.pathname)?.[1] ?? '');
    if (!signed(request, body))
      return answer(
        403,
        { message: 'The request signature we calculated does not match the signature you provided.' },
        { 'x-amzn-errortype': 'InvalidSignatureException' },
      );
    const work = functions[name];
    if (work === undefined) return answer(404, { Type: 'User', Message: `Function not found: ${name}` }, { 'x-amzn-errortype': 'ResourceNotFoundException' });
    const type = String(request.headers['x-amz-invocation-type'] ?? 'RequestResponse');
    invocations.push({ name, type, qualifier: url.searchParams.get('Qualifier'), body: body.toString() });
    if (type === 'DryRun') return answer(204, null);
    try {
      answer(200, await work(JSON.parse(body.toString())));
    } catch (error) {
      answer(200, { errorMessage: (error as Error).message, errorType: 'ValueError' }, { 'x-amz-function-error': 'Unhandled' });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    invocations,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
