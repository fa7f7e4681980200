import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyPluginAsync } from 'fastify';

const CSP =
  "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** The web interface; mounted at /ui. Every unknown path below it is answered with the page (its router reads the path). */
export function uiRoutes(dir: string | undefined): FastifyPluginAsync {
  return async (app) => {
    if (dir === undefined || !existsSync(join(dir, 'index.html'))) {
      app.get('/*', (_request, reply) => reply.code(503).type('text/plain').send('The web interface is not built. Run: npm run build\n'));
      return;
    }
    const { default: fastifyStatic } = await import('@fastify/static');
    await app.register(fastifyStatic, {
      root: dir,
      prefix: '/',
      wildcard: true,
      index: 'index.html',
      setHeaders: (reply, path) => {
        void reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
        void reply.header('content-security-policy', CSP);
        void reply.header('x-content-type-options', 'nosniff');
        void reply.header('referrer-policy', 'no-referrer');
      },
    });
    app.setNotFoundHandler((request, reply) => {
      if (request.method === 'GET' && !request.url.startsWith('/ui/assets/')) return reply.sendFile('index.html', { immutable: false, maxAge: 0 });
      return reply.code(404).type('text/plain').send('Not found\n');
    });
  };
}
