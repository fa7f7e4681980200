/** What backend_tests.py tells of a graph: null where it passed, else the reason; a reason that begins with '- ' says that this way has no form for the values. */
export interface Outcome {
  name: string;
  kind: string;
  /** Of ONNX Runtime itself, in Python. */
  runtime: string | null;
  /** By the way that it was asked; null when the runtime itself fails. */
  served: Record<string, string | null> | null;
}

/** Reasons differ in names, paths and numbers; what they have in common makes a line of the table. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/unsupported model IR version|IR version/i, 'its IR version is newer than the runtime knows'],
  [/opset .*(under development|only \*guarantees\*)|ValidateOpsetForDomain/i, 'its operator set is newer than the runtime knows'],
  [/is not a registered function\/op/, 'operators of a preview domain, which the runtime does not have'],
  [/Could not find an implementation|kernel is not supported|NOT_IMPLEMENTED/, 'the runtime has no kernel for the operator or the type on a CPU'],
  [/Numpy_type \d+|can't be converted to MLDataType/, 'element types of 2, 4, 8 or 16 bits that the runtime takes from no NumPy array'],
  [/Not equal to tolerance|Mismatched elements|not equal|Items are not equal/i, 'the runtime’s values differ from the expected ones'],
  [/locale/i, 'needs a locale that the machine does not have (en_US.UTF-8)'],
  [/Batchwise recurrent operations/, 'the runtime has no batchwise recurrent operators (layout 1)'],
  [/Unable to compare expected type/, 'the test cannot compare what it expects'],
  [/INVALID_GRAPH|Type Error|Load model from/, 'the runtime holds the graph to be invalid'],
  [/cannot be prepared/, 'the test itself cannot be prepared'],
  [/sequences, maps and optionals|is a sequence|is an optional|is a map/, 'sequences, maps and optionals: Open Inference has tensors only'],
  [
    /element type (bfloat16|float8|float4|u?int[24]|complex)|has no datatype|element type \(number/,
    'BF16, 8-, 4- and 2-bit and complex types: no way through the binding',
  ],
  [/JSON has no form/, 'FP16, NaN and infinities: no form in JSON'],
];
function kindOf(reason: string): string {
  const kind = KINDS.find(([pattern]) => pattern.test(reason))?.[1];
  // Paths in the runtime's own sources say nothing to a reader.
  return (
    kind ??
    `\`${reason
      .replaceAll(/\/\S+\s?/g, '')
      .replaceAll('`', "'")
      .slice(0, 200)}\``
  );
}

/** Those that the runtime passes and a way of asking does not, though it has a form for the values. */
export function failures(outcomes: readonly Outcome[], allowed: readonly RegExp[]): { name: string; way: string; reason: string }[] {
  return outcomes.flatMap(({ name, served }) =>
    Object.entries(served ?? {}).flatMap(([way, reason]) =>
      reason === null || reason.startsWith('- ') || allowed.some((pattern) => pattern.test(reason)) ? [] : [{ name, way, reason }],
    ),
  );
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function grouped(entries: readonly { name: string; reason: string }[]): string {
  const groups = new Map<string, string[]>();
  for (const { name, reason } of entries) groups.set(kindOf(reason), [...(groups.get(kindOf(reason)) ?? []), name]);
  const lines = [...groups].toSorted((a, b) => b[1].length - a[1].length || a[0].localeCompare(b[0]));
  return [
    '| Graphs | Reason | Which |',
    '| --: | --- | --- |',
    ...lines.map(([reason, names]) => `| ${names.length} | ${cell(reason)} | ${names.toSorted().join(' ')} |`),
  ].join('\n');
}

/** The page of the documentation. */
export function page(outcomes: readonly Outcome[], versions: string): string {
  const passing = outcomes.filter(({ runtime }) => runtime === null);
  const ways = Object.keys(passing[0]?.served ?? {});
  const count = (way: string) => passing.filter(({ served }) => served?.[way] === null).length;
  const rest = (way: string) =>
    passing.flatMap(({ name, served }) => (typeof served?.[way] === 'string' ? [{ name, reason: served[way].replace(/^- /, '') }] : []));
  return `# ONNX's backend tests

The \`onnx\` package brings ${outcomes.length} small graphs with inputs and expected outputs, at least one for each operator (${versions}). ONNX Runtime itself passes ${passing.length} of them. Each of these is deployed, asked and taken off again, by Triton's own clients:

| Asked by | Passes |
| --- | --: |
${ways.map((way) => `| ${way} | ${count(way)} |`).join('\n')}

\`npm run -s vitest -- --config vitest.real.config.ts packages/server/test/onnx-backend\` runs them; with \`BINNACLE_WRITE_DOCS=1\` it writes this page.

## What the runtime passes and the server cannot carry
${grouped(rest('REST, binary'))}

Over REST with JSON, besides:

${grouped(rest('REST, JSON').filter(({ name }) => !rest('REST, binary').some((other) => other.name === name)))}

## What ONNX Runtime itself does not pass
${grouped(outcomes.flatMap(({ name, runtime }) => (runtime === null ? [] : [{ name, reason: runtime }])))}
`;
}
