import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { createGuard, type GuardOptions } from './guard.ts';

const ask = (headers: Record<string, string>, method = 'POST', options: Partial<GuardOptions> = {}, path = '/api/binnacle/v1/models') =>
  createGuard({ host: '127.0.0.1', token: undefined, allowedHosts: [], ...options })({ headers, method } as unknown as IncomingMessage, path)?.code;

it.each([
  ['no page at all', {}],
  ['a page of ours', { origin: 'http://localhost:8000' }],
])('a change from %s passes', (_from, headers) => {
  expect(ask({ host: 'localhost:8000', ...headers })).toBeUndefined();
});

it.each(['https://evil.example', 'http://localhost:8001', 'null', 'nonsense'])('a change from a page of %s is refused, but not what only reads', (origin) => {
  expect(ask({ host: 'localhost:8000', origin })).toBe('origin_not_allowed');
  expect(ask({ host: 'localhost:8000', origin }, 'GET')).toBeUndefined();
});

it('on loopback another host name is refused unless it is allowed', () => {
  expect(ask({ host: 'evil.example:8000' })).toBe('host_not_allowed');
  expect(ask({ host: 'Models.Team:8000' }, 'GET', { allowedHosts: ['models.team'] })).toBeUndefined();
  expect(ask({ host: '[::1]:8000' })).toBeUndefined();
});

it('the token goes as bearer, as the password of Basic, or in the cookie; probes need none', () => {
  const token = 'a:b';
  const sent = (headers: Record<string, string>, path?: string) => ask({ host: 'localhost', ...headers }, 'GET', { token }, path);
  expect(sent({})).toBe('unauthenticated');
  expect(sent({ authorization: 'Bearer a:c' })).toBe('unauthenticated');
  expect(sent({ authorization: 'Bearer a:b' })).toBeUndefined();
  expect(sent({ authorization: `Basic ${Buffer.from('anyone:a:b').toString('base64')}` })).toBeUndefined();
  expect(sent({ cookie: `x=1; binnacle_token=${encodeURIComponent(token)}` })).toBeUndefined();
  expect(sent({ cookie: 'binnacle_token=%' })).toBe('unauthenticated');
  expect(sent({}, '/v2/health/ready')).toBeUndefined();
});
