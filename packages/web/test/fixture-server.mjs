// A stand-in for Binnacle while working on the interface: node packages/web/test/fixture-server.mjs [--port 8123] [--empty]
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTENT, fixtureRoutes, missing } from './fixture-routes.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const argument = (name) => {
  const i = process.argv.indexOf(name);
  return i < 0 ? undefined : process.argv[i + 1];
};
const empty = process.argv.includes('--empty');
const port = Number(argument('--port') ?? 8123);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CSP =
  "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const routes = fixtureRoutes({ empty, url: `http://127.0.0.1:${port}` });

async function answer(request, response) {
  const url = new URL(request.url, 'http://x');
  const json = (status, value) => {
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
    response.end(JSON.stringify(value));
  };
  let text = '';
  for await (const chunk of request) text += chunk;
  try {
    if (url.pathname.endsWith('/artifacts/content')) {
      response.end(CONTENT[url.searchParams.get('path')] ?? 'binary');
      return;
    }
    if (url.pathname.endsWith('/invocations')) {
      response.setHeader('x-request-id', '01K9ABC');
      json(200, { predictions: [{ label: 0, probabilities: [0.82, 0.18] }] });
      return;
    }
    if (url.pathname.startsWith('/v2/')) {
      json(400, { error: 'input distance: expected FP32, got INT64' });
      return;
    }
    if (url.pathname.startsWith('/api/')) {
      const route = routes.find((r) => r.method === request.method && r.pattern.test(url.pathname));
      if (route === undefined) throw missing(`operation ${request.method} ${url.pathname}`);
      const values = route.pattern.exec(url.pathname).slice(1).map(decodeURIComponent);
      json(
        200,
        route.handler({
          p: Object.fromEntries(route.names.map((n, i) => [n, values[i]])),
          query: Object.fromEntries(url.searchParams),
          body: text === '' ? {} : JSON.parse(text),
        }),
      );
      return;
    }
  } catch (error) {
    json(error.status ?? 500, {
      type: 'about:blank',
      title: error.status === 404 ? 'Not found' : 'Bad request',
      status: error.status ?? 500,
      detail: error.message,
      code: error.code ?? 'internal',
      details: error.details,
    });
    return;
  }
  let file = join(dist, normalize(url.pathname.replace(/^\/ui/, '')));
  if (!existsSync(file) || statSync(file).isDirectory()) file = join(dist, 'index.html');
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP });
  createReadStream(file).pipe(response);
}

createServer((request, response) => void answer(request, response)).listen(port, '127.0.0.1', () => console.error(`fixture at http://127.0.0.1:${port}/ui/`));
