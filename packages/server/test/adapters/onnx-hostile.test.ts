import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { createGraphInspector, createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { floats, graph, graphFile, slow, sum, value, withExternalData } from '../support/onnx-graphs.ts';
import { childrenOf } from '../support/processes.ts';

const { onnx } = onnxProto;
const x = [value('x', 'FP32', ['N'])];
const y = [value('y', 'FP32', ['N'])];
const add = (weights: object[]) => graph({ nodes: [{ opType: 'Add', input: ['x', 'w'], output: ['y'] }], inputs: x, outputs: y, weights });
const runtime = createOnnxRuntime({ loadTimeoutMs: 30_000 });
const refusal = (bytes: Uint8Array, from = runtime) =>
  from.load(graphFile(bytes), { label: 'm' }).then(
    async (model) => {
      await model.close();
      throw new Error('was accepted');
    },
    (error) => error as Error & { code: string; kind: string },
  );

/** Turns for ever at the first run, whatever the input. */
const forever = (): Uint8Array => {
  const body = {
    name: 'body',
    node: [
      { opType: 'Identity', input: ['c'], output: ['c_out'] },
      { opType: 'Identity', input: ['v'], output: ['v_out'] },
    ],
    input: [value('i', 'INT64', []), value('c', 'BOOL', []), value('v', 'FP32', ['N'])],
    output: [value('c_out', 'BOOL', []), value('v_out', 'FP32', ['N'])],
  };
  return graph({
    nodes: [{ opType: 'Loop', input: ['', 'true', 'x'], output: ['y'], attribute: [{ name: 'body', type: 5, g: body }] }],
    inputs: x,
    outputs: y,
    weights: [{ name: 'true', dims: [], dataType: 9, int32Data: [1] }],
  });
};

/** Each function calls the one before twice: 2^40 nodes from a file of some kilobytes. */
const doubling = (): Uint8Array => {
  const imports = [
    { domain: '', version: 17 },
    { domain: 'own', version: 1 },
  ];
  const call = (name: string, input: string, output: string) => ({ opType: name, domain: name.startsWith('F') ? 'own' : '', input: [input], output: [output] });
  const functions = Array.from({ length: 41 }, (_, k) => ({
    name: `F${k}`,
    domain: 'own',
    input: ['a'],
    output: ['b'],
    opsetImport: imports,
    node: k === 0 ? [call('Neg', 'a', 'b')] : [call(`F${k - 1}`, 'a', 't'), call(`F${k - 1}`, 't', 'b')],
  }));
  const model = { irVersion: 8, opsetImport: imports, functions, graph: { name: 'g', node: [call('F40', 'x', 'y')], input: x, output: y } };
  const bytes = onnx.ModelProto.encode(model as never).finish();
  // A schema that is older than local functions leaves them out; they are field 25.
  if (Buffer.from(bytes).includes('F39')) return bytes;
  const parts: Uint8Array[] = functions.map((f) => {
    const node = onnx.GraphProto.encode({ node: f.node } as never).finish();
    const nodes = retag(node, 0x0a, 0x3a);
    const text = (tag: number, word: string) => Buffer.concat([Buffer.from([tag, word.length]), Buffer.from(word)]);
    const opsets = imports.map((entry) => Buffer.from(onnx.OperatorSetIdProto.encode(entry as never).finish()));
    const sets = opsets.flatMap((set) => [Buffer.from([0x4a, set.length]), set]);
    const body = Buffer.concat([text(0x0a, f.name), text(0x22, 'a'), text(0x2a, 'b'), nodes, ...sets, text(0x52, 'own')]);
    return Buffer.concat([Buffer.from([0xca, 0x01, (body.length & 0x7f) | 0x80, body.length >> 7]), body]);
  });
  return Buffer.concat([bytes, ...parts]);
};

/** Small messages of one repeated field, under another number. */
function retag(bytes: Uint8Array, from: number, to: number): Buffer {
  const out = Buffer.from(bytes);
  for (let at = 0; at < out.length; at += 2 + (out[at + 1] ?? 0)) if (out[at] === from) out[at] = to;
  return out;
}

describe('a hostile ONNX file is refused:', () => {
  it.each([
    ['weights that are declared huge and not there', add([{ name: 'w', dims: [2 ** 31 - 1, 2 ** 31 - 1], dataType: 1 }]), /declares a size/],
    ['weights that are declared larger than what is there', add([{ ...floats('w', [2 ** 31], [1, 2]) }]), /declares a size/],
    ['a size that overflows', add([{ name: 'w', dims: [2 ** 52, 2 ** 52], dataType: 1 }]), /overflow|declares a size/i],
    ['a negative size', add([{ name: 'w', dims: [-5, 4], dataType: 1 }]), /Out of bounds|invalid/i],
    [
      'an operator of an unknown domain',
      graph({ nodes: [{ opType: 'Evil', domain: 'com.evil', input: ['x'], output: ['y'] }], inputs: x, outputs: y }),
      /com\.evil/,
    ],
    ['an operator that does not exist', graph({ nodes: [{ opType: 'NoSuch', input: ['x'], output: ['y'] }], inputs: x, outputs: y }), /NoSuch/],
    [
      'a graph that is a circle',
      graph({
        nodes: [
          { opType: 'Add', input: ['x', 'b'], output: ['a'] },
          { opType: 'Neg', input: ['a'], output: ['b'] },
          { opType: 'Neg', input: ['b'], output: ['y'] },
        ],
        inputs: x,
        outputs: y,
      }),
      /acyclic/,
    ],
    ['an input of more values than there are numbers', graph({ nodes: [], inputs: [value('x', 'FP32', [2 ** 40])], outputs: y }), /dimension of 1099511627776/],
  ])('%s', async (_, bytes, words) => {
    const error = await refusal(bytes);
    expect(error).toMatchObject({ kind: 'invalid', code: 'onnx_invalid' });
    expect(error.message).toMatch(words);
  });

  it('a large file that was cut off anywhere', async () => {
    const whole = slow(1, 512);
    for (const size of [whole.length - 1, whole.length >> 1, 300_000]) {
      const error = await refusal(whole.subarray(0, size));
      expect(error).toMatchObject({ kind: 'invalid', code: 'onnx_invalid' });
      expect(error.message).toMatch(/not a whole ONNX file/);
    }
  });

  it('one that runs for ever at its first run, while another model answers', async () => {
    const other = await runtime.load(graphFile(sum(2)), { tier: 'inline' });
    const before = await childrenOf(process.pid);
    const refused = refusal(forever(), createOnnxRuntime({ loadTimeoutMs: 2000 }));
    let answers = 0;
    const timer = setInterval(() => {
      const [out] = other.execute([{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) }], ['y']) as unknown as [{ data: Float32Array }];
      answers += out.data[0] === 3 ? 1 : 0;
    }, 10);
    expect(await refused).toMatchObject({ kind: 'invalid', code: 'load_timeout', message: expect.stringContaining('2 s') });
    clearInterval(timer);
    expect(answers).toBeGreaterThan(10);
    expect(await childrenOf(process.pid)).toEqual(before);
    await other.close();
  });

  it('a few kilobytes of functions that unfold to a million million nodes', async () => {
    expect(await refusal(doubling(), createOnnxRuntime({ loadTimeoutMs: 2000 }))).toMatchObject({ kind: 'invalid', code: 'load_timeout' });
  });

  it('a bomb of small fields, without harm to the server', async () => {
    // Four million fields of two bytes: their objects would be a gigabyte.
    const bomb = Buffer.concat([sum(2), Buffer.alloc(8_000_000, Buffer.from([0x20, 0x01]))]);
    const error = await refusal(bomb);
    expect(error).toMatchObject({ kind: 'invalid', code: 'onnx_invalid' });
    expect(error.message).toContain('more memory');
  }, 60_000);

  it('subgraphs that nest deeper than any model', async () => {
    let inner: Uint8Array = new Uint8Array(0);
    const wrap = (tag: number[], body: Uint8Array) => {
      const length: number[] = [];
      for (let rest = body.length; ; rest >>= 7) {
        length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
        if (rest <= 0x7f) break;
      }
      return Buffer.concat([Buffer.from([...tag, ...length]), body]);
    };
    // GraphProto.node (1) > NodeProto.attribute (5) > AttributeProto.g (6)
    for (let depth = 0; depth < 2000; depth++) inner = wrap([0x0a], wrap([0x2a], wrap([0x32], inner)));
    const model = Buffer.concat([
      Buffer.from([0x08, 0x08]),
      wrap([0x3a], Buffer.concat([inner, onnx.GraphProto.encode({ input: x, output: y } as never).finish()])),
    ]);
    expect((await refusal(model)).message).toContain('nest deeper than 32');
  });

  it('external data that is a device, a pipe, a folder, or a link out of the folder', async () => {
    const refuse = async (location: string, make: (folder: string) => void) => {
      const file = graphFile(withExternalData(location, { offset: '0', length: '8' }));
      make(dirname(file));
      return createGraphInspector()
        .inspect(file)
        .then(
          () => 'accepted',
          (error: Error) => error.message,
        );
    };
    expect(await refuse('/dev/zero', () => {})).toContain('not a relative path');
    expect(await refuse('zero', (folder) => symlinkSync('/dev/zero', join(folder, 'zero')))).toContain('leads outside');
    expect(await refuse('.', () => {})).toMatch(/outside|not a file/);
    if (process.platform !== 'win32') expect(await refuse('pipe', (folder) => execFileSync('mkfifo', [join(folder, 'pipe')]))).toContain('is not a file');
    const outside = mkdtempSync(join(tmpdir(), 'binnacle-out-'));
    writeFileSync(join(outside, 'w.bin'), Buffer.alloc(8));
    expect(await refuse('sub/w.bin', (folder) => symlinkSync(outside, join(folder, 'sub')))).toContain('leads outside');
  });
});

describe('a file that has loaded before', () => {
  it('is known by its digest, also after a restart, and is not tried again', async () => {
    const knownModelsFile = join(mkdtempSync(join(tmpdir(), 'binnacle-known-')), 'cache', 'known.json');
    const children = async (file: string) => {
      let seen = 0;
      const loading = createOnnxRuntime({ knownModelsFile }).load(file, { tier: 'inline' });
      const state = { done: false };
      void loading.finally(() => {
        state.done = true;
      });
      while (!state.done) {
        seen = Math.max(seen, (await childrenOf(process.pid)).length);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const model = await loading;
      expect(model.memoryBytes).toBeGreaterThan(0);
      await model.close();
      return seen;
    };
    const file = graphFile(sum(3));
    expect(await children(file)).toBe(1);
    expect(Object.keys(JSON.parse(readFileSync(knownModelsFile, 'utf8')).models)).toHaveLength(1);
    expect(await children(graphFile(sum(3)))).toBe(0);
    expect(await children(graphFile(sum(3, 2)))).toBe(1);
    writeFileSync(knownModelsFile, '{"broken');
    expect(await children(file)).toBe(1);
  });
});
