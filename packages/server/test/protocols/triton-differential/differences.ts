import type { Seen } from './ask.ts';

/** What cannot be the same on two servers: our own request id, the bodies of health, names of the software, files, times. */
export function normal({ status, body }: Seen, call: string): Seen {
  if (/\/(live|ready)$/.test(call) && status === 200) return { status, body: '' };
  if (call.endsWith('/stats') && status === 200) return { status, body: shape(body) };
  if (call.endsWith('/config') && status === 200) return { status, body: tensorsOf(body as Record<string, unknown>) };
  return { status, body: clean(body) };
}

/** Which fields there are, not the figures. The list of batch sizes depends on how requests were merged; Triton's Python backend tells no memory. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? 0 : value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, key === 'batch_stats' || key === 'memory_usage' ? Array.isArray(item) : shape(item)]),
  );
}

/** Of a model's configuration what both models share: one is an ONNX graph, the other Python. */
const tensorsOf = ({ name, max_batch_size, input, output }: Record<string, unknown>): unknown => ({
  name,
  max_batch_size,
  input,
  output: (output as { name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value === 'string') return value.replace(/^\[request id: <id_unknown>\] /, '');
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, item]) => !(key === 'id' && typeof item === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(item)));
  return Object.fromEntries(
    entries
      .filter(([key]) => key !== 'platform' && key !== 'backend' && key !== 'trace_file')
      .sort(([a], [b]) => (a < b ? -1 : 1))
      // The Python backend sends outputs in an order of its own, ONNX models in that of the request.
      .map(([key, item]) => [
        key,
        key === 'outputs' && Array.isArray(item) ? item.map((output) => clean(asFloats(output as Output))).sort(byName) : clean(item),
      ]),
  );
}
/** We write a float with its own digits, Triton with those of the double: they read back as the same float. */
interface Output {
  datatype?: string;
  data?: unknown;
}
const asFloats = (output: Output): Output =>
  output.datatype === 'FP32' && Array.isArray(output.data)
    ? { ...output, data: output.data.map((item) => (typeof item === 'number' ? Math.fround(item) : item)) }
    : output;
const byName = (a: unknown, b: unknown): number => ((a as { name: string }).name < (b as { name: string }).name ? -1 : 1);

const errorOf = ({ body }: Seen): string | undefined => (body as { error?: string } | null)?.error;

/** Triton's words with ours behind them are Triton's; a request that cannot be read is the caller's mistake (400), where Triton says 500. */
export function same(theirs: Seen, ours: Seen): boolean {
  const [a, b] = [errorOf(theirs), errorOf(ours)];
  if (a === undefined || b === undefined) return theirs.status === ours.status && JSON.stringify(theirs.body) === JSON.stringify(ours.body);
  const words = a.replace(/ NOTE: Setting a non-zero max_batch_size .*/s, '').replace(/[.\s]+$/, '');
  return b.startsWith(words) && (theirs.status === ours.status || (theirs.status === 500 && ours.status === 400));
}

/** What is different on purpose. */
export const differences: { request: RegExp; why: string }[] = [
  { request: /"name":"c"/, why: 'we name the input that is too much; Triton’s text for three inputs of two is garbled' },
  { request: /"shape":\[2\],"data":\[1,2\]/, why: 'we name the input whose rank is wrong; Triton complains about the other one' },
  { request: /infer ""$/, why: 'Triton takes an empty body for the raw form' },
  { request: /infer "\{"$/, why: 'the rest of the message is the JSON parser’s' },
  { request: /\[NaN\]/, why: 'NaN is no JSON; Triton’s parser lets it pass' },
  { request: /Content-Length":"(x|-5)"/, why: 'a header that is no number is refused as such' },
  { request: /same_fp32\/infer .*Content-Length":"0"/s, why: 'the raw form takes any number of whole rows here' },
  {
    request: /same_(uint8|uint32|int8|int16|int32)\/infer .*"data":\[(0,256|0,4294967296|0,128|0,32768|2147483648,0)\]/,
    why: 'a value that does not fit is refused; Triton wraps it around',
  },
  { request: /"shape":\[0,2\]/, why: 'no rows get no rows; Triton refuses a batch of none' },
  { request: /1e\+39/, why: 'an infinity becomes null, as bare Infinity is no JSON' },
  { request: /a\\u0000b/, why: 'ONNX Runtime’s binding cuts strings at NUL, so that they are refused' },
  { request: /same_bool\/infer .*binary_data_size/, why: 'a BOOL byte is 0 or 1' },
  { request: /same_fp32\/generate \{"x":"a"\}/, why: 'the value is of the wrong kind before its shape matters' },
  { request: /"not gzip"/, why: 'a body that is not what its header says is refused as such' },
  { request: /"shared_memory_region":"none"\}/, why: 'the size is missing, and that is said first' },
  { request: /trace\/setting \{\}$/, why: 'no settings remove a model’s own, as the extension’s text has it; this Triton keeps them' },
  { request: /"NOPE"/, why: 'a trace level that does not exist is refused' },
];
