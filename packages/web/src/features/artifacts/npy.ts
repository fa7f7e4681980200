/** The header of a NumPy file (NEP 1). Pure; tested in npy.test.ts. */
export interface NpyHeader {
  /** NumPy's description, such as <f4; a list for records. */
  dtype: string;
  shape: number[];
  fortranOrder: boolean;
}

const TYPES: Record<string, string> = {
  f: 'float',
  i: 'int',
  u: 'uint',
  c: 'complex',
  b: 'bool',
  U: 'str',
  S: 'bytes',
  M: 'datetime',
  m: 'timedelta',
  O: 'object',
};

export function readNpyHeader(bytes: Uint8Array): NpyHeader | undefined {
  if (bytes.length < 12 || bytes[0] !== 0x93 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY') return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] as number) >= 2;
  const [start, length] = wide ? [12, view.getUint32(8, true)] : [10, view.getUint16(8, true)];
  const text = new TextDecoder(wide ? 'utf-8' : 'latin1').decode(bytes.subarray(start, start + length));
  const dtype = /'descr':\s*(?:'([^']*)'|(\[.*\]))\s*,\s*'fortran_order'/s.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (dtype === null || order === undefined || shape === undefined) return undefined;
  return {
    dtype: dtype[1] ?? dtype[2] ?? '',
    fortranOrder: order === 'True',
    shape: shape
      .split(',')
      .map((part) => part.replace('L', '').trim())
      .filter((part) => part !== '')
      .map(Number),
  };
}

/** '<f4' → 'float32'; another description as it is. */
export function dtypeName(descr: string): string {
  const found = /^([<>|=])?([fiucbUSMmO])(\d*)(\[.*\])?$/.exec(descr);
  const name = TYPES[found?.[2] ?? ''];
  if (found === null || name === undefined) return descr;
  const size = Number(found[3] ?? 0);
  const bits = name === 'bool' || name === 'object' ? '' : name === 'str' || name === 'bytes' ? ` of ${size}` : String(size * 8);
  return `${name}${bits}${found[4] ?? ''}${found[1] === '>' ? ', big-endian' : ''}`;
}
