import { getPriority } from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { launch } from '../../../launcher/index.ts';
import { encode } from './frame.ts';
import { SessionProcess } from './session-process.ts';

const NO_PROGRAM = 'no program';
let says = '';
let last: SessionProcess | undefined;
vi.mock('./launch.ts', () => ({
  residentBytes: () => undefined,
  launchModelProcess: () =>
    launch(
      says === NO_PROGRAM ? '/no/such/program' : process.execPath,
      [
        '-e',
        `require('fs').writeSync(3, Buffer.from('${says}', 'hex')); require('fs').readSync(3, Buffer.alloc(1e6)); require('fs').readSync(3, Buffer.alloc(1e6))`,
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
        env: {},
      },
    ),
}));
afterEach(() => last?.close());

const bytes = (frame: Parameters<typeof encode>[0]): Buffer => Buffer.concat(encode(frame));
const opened = bytes({ kind: 'opened', text: JSON.stringify({ inputs: [], outputs: [] }) });
const settings = {} as ConstructorParameters<typeof SessionProcess>[0]['settings'];
function start(said: Buffer, expendable = false): { host: SessionProcess; lost: Promise<string | undefined> } {
  says = said.toString('hex');
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const host = new SessionProcess({ label: 'm', file: '/m.onnx', settings, sample: undefined, loadTimeoutMs: 20_000, expendable }, resolve);
  last = host;
  return { host, lost: promise };
}
function patched(frame: Buffer, write: (view: DataView) => void): Buffer {
  const copy = Buffer.from(frame);
  write(new DataView(copy.buffer, copy.byteOffset, copy.byteLength));
  return copy;
}
const numbersOf = (values: number[]): Buffer => {
  const head = patched(bytes({ kind: 'result' }), (view) => view.setUint32(20, values.length, true)).subarray(0, 32);
  return Buffer.concat([head, Buffer.from(Float64Array.from(values).buffer)]);
};

it.each([
  ['noise', Buffer.alloc(64, 255)],
  ['a text that is no JSON', bytes({ kind: 'opened', text: '{' })],
  ['a text of 4 GB', patched(opened, (view) => view.setUint32(16, 2 ** 32 - 1, true))],
  ['4 billion numbers', patched(opened, (view) => view.setUint32(20, 2 ** 32 - 1, true))],
  ['values without end', patched(opened, (view) => view.setFloat64(24, Number.POSITIVE_INFINITY, true))],
  ['values of a petabyte', patched(opened, (view) => view.setFloat64(24, 2 ** 50, true))],
  ['less than no values', patched(opened, (view) => view.setFloat64(24, -1, true))],
  ['a count beyond its numbers', numbersOf([0, 2 ** 31])],
])('a process that sends %s while it loads is ended, and the file refused', async (_what, said) => {
  const { host } = start(said);
  await expect(host.opened).rejects.toMatchObject({ kind: 'invalid', code: 'onnx_crashed', message: expect.stringContaining('cannot be read') as string });
});

it('a process that sends noise later is ended and counts as lost', async () => {
  const { host, lost } = start(Buffer.concat([opened, Buffer.alloc(64, 255)]));
  await host.opened;
  expect(host.alive).toBe(false);
  expect(await lost).toContain("The process that runs 'm' sent what cannot be read");
  await expect(host.run([], [])).rejects.toMatchObject({ kind: 'unavailable', code: 'runtime_crashed' });
});

it('a process that is closed before it has started ends, and nothing is said of a loss', async () => {
  let lost = false;
  says = '';
  const host = new SessionProcess({ label: 'm', file: '/m.onnx', settings, sample: undefined, loadTimeoutMs: 20_000 }, () => (lost = true));
  await host.close();
  expect(host.alive).toBe(false);
  await expect(host.opened).rejects.toMatchObject({ code: 'onnx_crashed' });
  expect(lost).toBe(false);
});

it('a process that cannot be started is no fault of the file', async () => {
  says = NO_PROGRAM;
  const host = new SessionProcess({ label: 'm', file: '/m.onnx', settings, sample: undefined, loadTimeoutMs: 20_000 });
  await expect(host.opened).rejects.toMatchObject({ kind: 'unavailable', code: 'process_not_started', message: expect.stringContaining('ENOENT') as string });
  expect(host.alive).toBe(false);
  await host.close();
});

it('a process that only tries a file gives way to those that serve', async () => {
  const { host: serving } = start(opened);
  await serving.opened;
  expect(getPriority(serving.pid)).toBe(getPriority());
  await serving.close();
  const { host: trying } = start(opened, true);
  await trying.opened;
  expect(getPriority(trying.pid)).toBe(10);
});
