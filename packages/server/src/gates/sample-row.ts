import type { ModelPackage, Signature } from '../registry/index.ts';

/** A row of zeros and short texts that fits the signature (or the graph, without one): for measuring time when there are no golden examples. Undefined when neither is known. */
export function sampleRow(pkg: Pick<ModelPackage, 'signature' | 'tensors'>): Record<string, unknown> | undefined {
  const columns: Signature['inputs'] | undefined =
    pkg.signature?.inputs ?? pkg.tensors?.inputs.map(({ name, datatype, shape }) => ({ name, type: datatype, shape }));
  if (columns === undefined || columns.length === 0) return undefined;
  return Object.fromEntries(columns.map(({ name, type, shape }) => [name, shape === undefined ? scalar(type) : filled(shape.slice(1), scalar(type))]));
}

function filled(shape: number[], value: unknown): unknown {
  const [size, ...rest] = shape;
  return size === undefined ? value : Array.from({ length: size < 0 ? 1 : size }, () => filled(rest, value));
}

function scalar(type: string): unknown {
  switch (type) {
    case 'string':
    case 'BYTES':
    case 'binary':
      return 'a';
    case 'boolean':
    case 'BOOL':
      return false;
    case 'datetime':
      return '2000-01-01T00:00:00';
    default:
      return type.startsWith('array<') ? [scalar(type.slice(6, -1))] : 0;
  }
}
