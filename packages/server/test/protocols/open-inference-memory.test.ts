import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSharedMemory } from '../../src/protocols/open-inference/shared-memory.ts';
import { identity, sum } from '../support/onnx-graphs.ts';
import { send, type ServingKit, servingKit } from '../support/serving.ts';

const linux = existsSync('/dev/shm');
const key = `/binnacle-test-${randomBytes(6).toString('hex')}`;
const file = join('/dev/shm', key);

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit();
  await kit.deploy('sum', sum(2));
  await kit.deploy('text', identity('BYTES'));
});
afterAll(async () => {
  await kit.close();
  rmSync(file, { force: true });
});

const post = async (path: string, body?: object) => {
  const reply = await send(`${kit.url}/v2/${path}`, { method: 'POST', body: body === undefined ? '' : JSON.stringify(body) });
  return reply.body.length === 0 ? `${reply.status}` : `${reply.status} ${reply.json().error}`;
};
const region = (name: string, body: object) => post(`systemsharedmemory/region/${name}/register`, body);
const status = async (path = 'systemsharedmemory/status') => (await send(`${kit.url}/v2/${path}`)).json();
const at = (name: string, size: number, offset?: number) => ({
  shared_memory_region: name,
  shared_memory_byte_size: size,
  ...(offset === undefined ? {} : { shared_memory_offset: offset }),
});
const ask = (input: object, output: object = {}, endpoint = 'sum', datatype = 'FP32') =>
  kit.infer(endpoint, { inputs: [{ name: 'x', datatype, shape: [1, 2], parameters: input }], outputs: [{ name: 'y', parameters: output }] });

it.runIf(linux)('tensors come and go in a region', async () => {
  writeFileSync(file, Buffer.concat([Buffer.alloc(8), Buffer.from(Float32Array.of(40, 2).buffer), Buffer.alloc(64)]));
  expect(await region('in', { key, offset: 8, byte_size: 72 })).toBe('200');
  expect(await status()).toEqual([{ name: 'in', key, offset: 8, byte_size: 72 }]);
  expect(await status('systemsharedmemory/region/in/status')).toEqual([{ name: 'in', key, offset: 8, byte_size: 72 }]);
  const reply = await ask(at('in', 8), at('in', 4, 16));
  expect(reply.json().outputs).toEqual([
    {
      name: 'y',
      datatype: 'FP32',
      shape: [1, 1],
      parameters: { shared_memory_region: 'in', shared_memory_offset: 16, shared_memory_byte_size: 4 },
    },
  ]);
  expect(readFileSync(file).readFloatLE(24)).toBe(42);
  // Strings with their lengths.
  const strings = Buffer.from('\x01\0\0\0a\x02\0\0\0bc', 'latin1');
  writeFileSync(file, Buffer.concat([Buffer.alloc(8), strings, Buffer.alloc(61)]));
  expect((await ask(at('in', strings.length), {}, 'text', 'BYTES')).json().outputs[0].data).toEqual(['a', 'bc']);
  expect(await post('systemsharedmemory/region/in/unregister')).toBe('200');
  expect(await post('systemsharedmemory/region/in/unregister')).toBe('200');
  expect(await status()).toEqual([]);
});

it.runIf(linux)('what does not fit is refused in Triton’s words', async () => {
  writeFileSync(file, Buffer.alloc(64));
  expect(await region('r', { key, byte_size: 64 })).toBe('200');
  expect(await region('r', { key, byte_size: 64 })).toBe("400 shared memory region 'r' already in manager");
  expect(await region('s', { key, offset: 8, byte_size: 64 })).toMatch(/^400 Invalid shared memory region: '/);
  expect(await region('s', { key: '/not-there', byte_size: 64 })).toBe("400 Unable to open shared memory region: '/not-there'");
  expect(await region('s', { byte_size: 64 })).toBe("400 Shared memory register request has no 'key' field");
  expect(await region('s', { key })).toBe("400 Shared memory register request has no 'byte_size' field");
  expect(await region('s', { key, byte_size: -1 })).toMatch(/^400 attempt to access JSON non-unsigned-integer/);
  const error = async (...of: Parameters<typeof ask>) => (await ask(...of)).json().error;
  expect(await error(at('none', 8))).toBe("Unable to find shared memory region: 'none'");
  expect(await error(at('r', 8, 60))).toBe("Invalid offset + byte size for shared memory region: 'r'");
  expect(await error(at('r', 12))).toBe("input byte size mismatch for input 'x' for model 'sum'. Expected 8, got 12");
  expect(await error(at('r', 8), at('r', 2))).toMatch(/^shared memory size specified with the request for output 'y' \(2 bytes\) should be at least 4 bytes/);
  expect(await error({ shared_memory_byte_size: 8 })).toMatch(/without 'shared_memory_region'/);
  truncateSync(file, 4);
  expect(await error(at('r', 8))).toMatch(/has become smaller/);
  expect(await error(at('r', 8), at('r', 4, 32))).toMatch(/has become smaller/);
  expect(readFileSync(file)).toHaveLength(4);
  expect(await post('systemsharedmemory/unregister')).toBe('200');
  expect(await status()).toEqual([]);
});

it('no key leaves the folder of shared memory', () => {
  const root = mkdtempSync(join(tmpdir(), 'binnacle-shm-'));
  const outside = join(mkdtempSync(join(tmpdir(), 'binnacle-out-')), 'secret');
  writeFileSync(outside, Buffer.alloc(64));
  symlinkSync(outside, join(root, 'link'));
  writeFileSync(join(root, 'own'), Buffer.alloc(64));
  const memory = createSharedMemory({ enabled: true, root });
  for (const bad of ['../secret', '/../secret', outside, '/a/b', '', '/', '.', '/.', '..', '/..', 'link', '/link', 'own\0'])
    expect(() => memory.register({ name: 'r', key: bad, offset: 0, byte_size: 8 }), bad).toThrow(
      /Unable to open shared memory region|Invalid shared memory region/,
    );
  memory.register({ name: 'r', key: 'own', offset: 0, byte_size: 8 });
  expect(memory.read({ region: 'r', offset: 0, byteSize: 8 })).toHaveLength(8);
  memory.close();
});

it('where it is off nothing can be registered, and nothing is there', () => {
  const memory = createSharedMemory({ enabled: false });
  expect(memory.enabled).toBe(false);
  expect(memory.status()).toEqual([]);
  expect(() => memory.register({ name: 'r', key: '/k', offset: 0, byte_size: 8 })).toThrow(/--shared-memory turns it on/);
});

it('CUDA memory is refused', async () => {
  expect(await status('cudasharedmemory/status')).toEqual([]);
  expect(await post('cudasharedmemory/region/r/register', { raw_handle: { b64: 'AA==' }, device_id: 0, byte_size: 8 })).toMatch(
    /^501 CUDA shared memory is not/,
  );
  expect(await post('cudasharedmemory/unregister')).toBe('200');
});
