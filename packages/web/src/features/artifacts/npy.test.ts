import { expect, test } from 'vitest';
import { dtypeName, readNpyHeader } from './npy.ts';

function file(header: string, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const start = version === 1 ? 10 : 12;
  const bytes = new Uint8Array(start + text.length);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  bytes.set(text, start);
  return bytes;
}

test('shape, type and order', () => {
  expect(readNpyHeader(file("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }     \n"))).toEqual({
    dtype: '<f4',
    shape: [3, 4],
    fortranOrder: false,
  });
  expect(readNpyHeader(file("{'descr': '|b1', 'fortran_order': True, 'shape': (7,), }\n", 2))).toEqual({ dtype: '|b1', shape: [7], fortranOrder: true });
  expect(readNpyHeader(file("{'descr': '>i8', 'fortran_order': False, 'shape': (), }\n"))?.shape).toEqual([]);
  expect(readNpyHeader(file("{'descr': [('a', '<i4'), ('b', '<U3')], 'fortran_order': False, 'shape': (2,), }\n"))?.dtype).toBe("[('a', '<i4'), ('b', '<U3')]");
});
test('what is no NumPy file has no header', () => {
  for (const bytes of [new Uint8Array(), new Uint8Array(64), file('no dict')]) expect(readNpyHeader(bytes)).toBeUndefined();
});
test('types by their names', () => {
  expect(['<f4', '|b1', '>i8', '<U3', '<M8[ns]', '|O', '[x]'].map(dtypeName)).toEqual([
    'float32',
    'bool',
    'int64, big-endian',
    'str of 3',
    'datetime64[ns]',
    'object',
    '[x]',
  ]);
});
