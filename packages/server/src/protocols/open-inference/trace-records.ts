import type { RunTiming, Tensor } from '../../serving/index.ts';
import type { Levels } from './trace-levels.ts';

/** When things happened to a request: `performance.now()`, milliseconds. */
export interface TraceTimes {
  receivedAt: number;
  requestAt: number;
  answeredAt: number;
  sentAt: number;
  timing: RunTiming;
  version: number;
}

export interface Tensors {
  inputs: readonly Tensor[];
  outputs: readonly Tensor[];
}

/** Values of a tensor that a trace keeps. */
const MAX_VALUES = 10_000;
/** Characters of a string that it keeps. */
const MAX_TEXT = 1000;

/** `performance.now()` on the monotonic clock in nanoseconds, as Triton's times are. */
const BASE_NS = Number(process.hrtime.bigint()) - performance.now() * 1e6;
const ns = (ms: number): number => Math.round(BASE_NS + ms * 1e6);

/** A trace as the records of Triton's trace file, JSON objects with commas between. */
export function recordsOf(of: { id: number; model: string; transport: 'HTTP' | 'GRPC'; level: Levels['level'] }, times: TraceTimes, tensors: Tensors): string {
  const { id, model, transport, level } = of;
  const records: object[] = [{ id, model_name: model, model_version: times.version }];
  if (level.includes('TIMESTAMPS')) {
    const { queue, input, infer, output } = times.timing;
    const began = times.requestAt;
    const micros = (after: number): number => began + after / 1000;
    const timestamps: [string, number][] = [
      [`${transport}_RECV_START`, times.receivedAt],
      [`${transport}_RECV_END`, began],
      ['REQUEST_START', began],
      ['QUEUE_START', began],
      ['COMPUTE_START', micros(queue)],
      ['COMPUTE_INPUT_END', micros(queue + input)],
      ['COMPUTE_OUTPUT_START', micros(queue + input + infer)],
      ['COMPUTE_END', micros(queue + input + infer + output)],
      ['REQUEST_END', times.answeredAt],
      [`${transport}_SEND_START`, times.answeredAt],
      [`${transport}_SEND_END`, times.sentAt],
    ];
    records.push({ id, timestamps: timestamps.map(([name, at]) => ({ name, ns: ns(at) })) });
  }
  if (level.includes('TENSORS'))
    records.push(
      ...tensors.inputs.map((tensor) => ({ id, activity: 'TENSOR_QUEUE_INPUT', tensor: shownTensor(tensor) })),
      ...tensors.outputs.map((tensor) => ({ id, activity: 'TENSOR_BACKEND_OUTPUT', tensor: shownTensor(tensor) })),
    );
  return records.map((record) => JSON.stringify(record)).join(',');
}

const shownTensor = ({ name, data, shape, datatype }: Tensor): object => ({
  name,
  data: (Array.isArray(data)
    ? data.slice(0, MAX_VALUES).map((text) => text.slice(0, MAX_TEXT))
    : Array.from(data.subarray(0, MAX_VALUES) as ArrayLike<number | bigint>)
  ).join(','),
  shape: shape.join(','),
  dtype: datatype,
});
