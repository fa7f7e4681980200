import { MODULE } from './module.ts';

/** Node has it; its types come with those of browsers only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
};

/** What packages/server/wasm/float-text exports. */
interface Exports {
  memory: { buffer: ArrayBuffer };
  begin(): void;
  read(end: number): number;
  position(): number;
  isClosed(): number;
  depth(): number;
  lengthAt(level: number): number;
  write(count: number, decimals: boolean): number;
  writeDoubles(count: number, decimals: boolean): number;
}

export interface FloatText extends Exports {
  bytes: Buffer;
  floats: Float32Array;
  /** In the same place. */
  doubles: Float64Array;
  /** Where texts lie, and how long they may be. */
  text: number;
  textSize: number;
}

let instance: FloatText | undefined;

/** One for all requests of this thread, made for the first: no call leaves anything in it that the next has to find. */
export const floatText = (): FloatText => (instance ??= instantiate());

function instantiate(): FloatText {
  const module = new WebAssembly.Module(Buffer.from(MODULE, 'base64'));
  // Called from `read`, which its caller's `bytes` are there for.
  const exact = (from: number, to: number): number => Number(bytes.toString('latin1', from, to));
  const { exports } = new WebAssembly.Instance(module, { read: { exact } });
  const { memory } = exports as Exports;
  const at = (name: string): number => (exports as Record<string, { value: number }>)[name]?.value as number;
  const bytes = Buffer.from(memory.buffer);
  const view = new DataView(memory.buffer);
  for (let n = -300; n <= 300; n++) view.setFloat64(at('POWERS') + 8 * (n + 300), Number(`1e${n}`), true);
  for (const closer of [0, 1])
    for (let exponent = 0; exponent < 255; exponent++) writeStep(view, at('STEPS') + 16 * (256 * closer + exponent), exponent, closer);
  for (let n = -292; n <= 324; n++) {
    const bits = scale(n, 128n);
    view.setBigUint64(at('DOUBLE_SCALES') + 16 * (n + 292), bits >> 64n, true);
    view.setBigUint64(at('DOUBLE_SCALES') + 16 * (n + 292) + 8, bits & 0xffffffffffffffffn, true);
  }
  return {
    ...(exports as Exports),
    bytes,
    floats: new Float32Array(memory.buffer, at('FLOATS'), at('FLOATS_SIZE') / 4),
    doubles: new Float64Array(memory.buffer, at('FLOATS'), at('FLOATS_SIZE') / 8),
    text: at('TEXT'),
    textSize: at('TEXT_SIZE'),
  };
}

/** What Schubfach computes from a float's exponent: a power of ten as 64 bits, its exponent, and half of what the float's last bit is worth. */
function writeStep(view: DataView, at: number, exponent: number, closer: number): void {
  const binary = Math.max(exponent, 1) - 150;
  const decimal = Math.floor((binary * 1262611 - closer * 524031) / 2 ** 22);
  view.setBigUint64(at, scale(-decimal, 64n), true);
  view.setInt32(at + 8, decimal, true);
  view.setInt32(at + 12, 2 ** (binary + Math.floor((-decimal * 1741647) / 2 ** 19) + 2), true);
}

/** 10^n, shifted so that it has so many bits before the point, rounded up. */
function scale(n: number, size: bigint): bigint {
  const power = 10n ** BigInt(Math.abs(n));
  const bits = BigInt(power.toString(2).length);
  const [above, below] = n < 0 ? [1n << (bits + size - 1n), power] : [power << size, 1n << bits];
  return (above + below - 1n) / below;
}
