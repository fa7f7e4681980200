import { expect, test } from 'vitest';
import { createClient } from './client.ts';
import { BinnacleApiError } from './errors.ts';

const answering = (reply: Response | Error) => {
  const seen: { url: string; init: RequestInit }[] = [];
  const fetch = (async (url: string, init: RequestInit) => {
    seen.push({ url, init });
    if (reply instanceof Error) throw reply;
    return reply;
  }) as unknown as typeof globalThis.fetch;
  return { seen, fetch };
};

test('path parameters are escaped, queries skip what is absent', async () => {
  const { seen, fetch } = answering(Response.json({ files: [] }));
  const client = createClient({ baseUrl: 'http://b:8000/', fetch });
  await client.call('listRunArtifacts', { params: { runId: 'a/b c' }, query: { path: undefined } });
  expect(seen[0]?.url).toBe('http://b:8000/api/binnacle/v1/runs/a%2Fb%20c/artifacts');
  expect(() => client.url('getVersion', { params: { model: '..', version: 3 } })).toThrow('.. cannot be the model in a URL');
});

test('a body goes as JSON with the token', async () => {
  const { seen, fetch } = answering(Response.json({ series: [] }));
  await createClient({ baseUrl: 'http://b', token: () => 'T', fetch }).call('getSeries', { body: { runIds: ['1'], keys: ['k'] } });
  const headers = new Headers(seen[0]?.init.headers);
  expect(headers.get('authorization')).toBe('Bearer T');
  expect(headers.get('content-type')).toBe('application/json');
  expect(seen[0]?.init).toMatchObject({ method: 'POST', body: '{"runIds":["1"],"keys":["k"]}' });
});

test('a problem becomes a BinnacleApiError with its fields', async () => {
  const { fetch } = answering(
    Response.json(
      { type: 'about:blank', title: 'Conflict', status: 409, detail: 'gate golden failed', code: 'gate_failed', details: { gate: 'golden' } },
      { status: 409 },
    ),
  );
  const error = await createClient({ baseUrl: 'http://b', fetch })
    .call('getInfo')
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(BinnacleApiError);
  expect(error).toMatchObject({ status: 409, code: 'gate_failed', title: 'Conflict', message: 'gate golden failed', details: { gate: 'golden' } });
});

test.each([
  [{ error_code: 'INVALID_PARAMETER_VALUE', message: 'no' }, 'no'],
  [{ error: 'not ready' }, 'not ready'],
])('errors of the other protocols are read too: %j', async (body, detail) => {
  const { fetch } = answering(Response.json(body, { status: 400 }));
  await expect(createClient({ baseUrl: 'http://b', fetch }).request('/v2/models/x/infer')).rejects.toMatchObject({ status: 400, detail });
});

test('no answer at all says where it looked', async () => {
  const { fetch } = answering(new TypeError('fetch failed'));
  await expect(createClient({ baseUrl: 'http://b:1', fetch }).call('getInfo')).rejects.toMatchObject({
    status: 0,
    code: 'network',
    detail: 'Binnacle does not answer at http://b:1: fetch failed',
  });
});

test('an HTML error page of a proxy does not become the message', async () => {
  const { fetch } = answering(new Response('<html>Bad gateway</html>', { status: 502 }));
  await expect(createClient({ baseUrl: 'http://b', fetch }).call('getInfo')).rejects.toMatchObject({
    status: 502,
    detail: 'The server answered 502 without a reason.',
  });
});

test('a missing path parameter is refused before anything is sent', async () => {
  const { seen, fetch } = answering(Response.json({}));
  await expect(async () => createClient({ baseUrl: 'http://b', fetch }).call('getRun', { params: { runId: '' } })).rejects.toThrow('getRun needs params.runId');
  expect(seen).toEqual([]);
});
