import { expect, it, vi } from 'vitest';
import { AwsLambda } from './client.ts';

vi.mock('node:dns', () => ({
  lookup: (_name: string, _options: unknown, found: (error: null, all: { address: string; family: number }[]) => void) =>
    found(null, [{ address: '169.254.169.254', family: 4 }]),
}));

it('does not follow a name that leads to a link-local address', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'id').stubEnv('AWS_SECRET_ACCESS_KEY', 'key');
  const spec = { kind: 'remote' as const, protocol: 'lambda' as const, url: 'http://function.test:9?region=eu-west-1', model: 'score' };
  const http = { label: 'it', connections: 1, maxReplyBytes: 1000, guardLookup: true, headers: () => ({}) };
  const signature = { inputs: [{ name: 'x', type: 'FP32', shape: [-1, 2] }], outputs: [] };
  const client = await AwsLambda.open({ spec, signature, label: 'it', http, token: () => undefined });
  await expect(client.probe({ deadline: performance.now() + 5000 })).rejects.toThrow('EHOSTUNREACH');
  client.close();
  vi.unstubAllEnvs();
});
