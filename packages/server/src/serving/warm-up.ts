import { sampleTensors } from './sample.ts';
import { allocate, type Datatype, type Tensor } from './tensor.ts';
import type { LoadedVersion } from './version.ts';

/** Values of made-up inputs: a graph may declare a shape of any size. */
const MAX_VALUES = 2 ** 22;

/** Inputs to run a version warm with: its sample's first row, else zeros of its shapes; undefined where those would be too large. */
export function warmUpOf(version: LoadedVersion): Tensor[] | undefined {
  const sampled = sampleTensors(version, version.sample);
  if (sampled !== undefined) return sampled;
  const shapes = version.inputs.map(({ shape }) => shape.map((dimension) => (dimension === -1 ? 1 : dimension)));
  const counts = shapes.map((shape) => shape.reduce((n, dimension) => n * dimension, 1));
  if (counts.some((count) => count > MAX_VALUES)) return undefined;
  return version.inputs.map(({ name, datatype }, i) => ({
    name,
    datatype: datatype as Datatype,
    shape: shapes[i] as number[],
    data: allocate(datatype as Datatype, counts[i] as number),
  }));
}
