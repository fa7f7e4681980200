import { graph, value } from './onnx-graphs.ts';

/** The models that Triton's public examples ask for (`simple…`), rebuilt as ONNX graphs with the configurations of their like. */
export interface SimpleModel {
  config: string;
  graph: Uint8Array;
}

const io = (side: 'input' | 'output', name: string, type: string, dims: string): string =>
  `${side} [ { name: "${name}" data_type: TYPE_${type} dims: [ ${dims} ] } ]`;

/** OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1. */
export function simple(type: 'INT32' | 'INT8' = 'INT32'): SimpleModel {
  // ONNX Runtime adds no INT8: through INT32 and back.
  const cast = (input: string, output: string, to: number) => ({
    opType: 'Cast',
    input: [input],
    output: [output],
    attribute: [{ name: 'to', type: 2, i: to }],
  });
  const nodes =
    type === 'INT32'
      ? [
          { opType: 'Add', input: ['INPUT0', 'INPUT1'], output: ['OUTPUT0'] },
          { opType: 'Sub', input: ['INPUT0', 'INPUT1'], output: ['OUTPUT1'] },
        ]
      : [
          cast('INPUT0', 'a', 6),
          cast('INPUT1', 'b', 6),
          { opType: 'Add', input: ['a', 'b'], output: ['sum'] },
          { opType: 'Sub', input: ['a', 'b'], output: ['difference'] },
          cast('sum', 'OUTPUT0', 3),
          cast('difference', 'OUTPUT1', 3),
        ];
  const each = (names: string[]) => names.map((name) => value(name, type, ['N', 16]));
  return {
    config: `platform: "onnxruntime_onnx"
max_batch_size: 8
${io('input', 'INPUT0', type, '16')} ${io('input', 'INPUT1', type, '16')}
${io('output', 'OUTPUT0', type, '16')} ${io('output', 'OUTPUT1', type, '16')}
`,
    graph: graph({ nodes, inputs: each(['INPUT0', 'INPUT1']), outputs: each(['OUTPUT0', 'OUTPUT1']) }),
  };
}

/** The same over decimal numbers as strings. */
export function simpleString(): SimpleModel {
  const cast = (input: string, output: string, to: number) => ({
    opType: 'Cast',
    input: [input],
    output: [output],
    attribute: [{ name: 'to', type: 2, i: to }],
  });
  const each = (names: string[]) => names.map((name) => value(name, 'BYTES', ['N', 16]));
  return {
    config: simple().config.replaceAll('TYPE_INT32', 'TYPE_STRING'),
    graph: graph({
      nodes: [
        cast('INPUT0', 'a', 6),
        cast('INPUT1', 'b', 6),
        { opType: 'Add', input: ['a', 'b'], output: ['sum'] },
        { opType: 'Sub', input: ['a', 'b'], output: ['difference'] },
        cast('sum', 'OUTPUT0', 8),
        cast('difference', 'OUTPUT1', 8),
      ],
      inputs: each(['INPUT0', 'INPUT1']),
      outputs: each(['OUTPUT0', 'OUTPUT1']),
    }),
  };
}

export function simpleIdentity(): SimpleModel {
  return {
    config: `platform: "onnxruntime_onnx"
max_batch_size: 8
${io('input', 'INPUT0', 'STRING', '-1')}
${io('output', 'OUTPUT0', 'STRING', '-1')}
`,
    graph: graph({
      nodes: [{ opType: 'Identity', input: ['INPUT0'], output: ['OUTPUT0'] }],
      inputs: [value('INPUT0', 'BYTES', ['N', 'M'])],
      outputs: [value('OUTPUT0', 'BYTES', ['N', 'M'])],
    }),
  };
}

const flag = (name: string, kind: string): string => `{ name: "${name}" control [ { kind: CONTROL_SEQUENCE_${kind} int32_false_true: [0, 1] } ] }`;
const corrid = (type: string): string => `{ name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_${type} } ] }`;
const column = (name: string, type = 'INT32') => value(name, type, ['N', 1]);

/** OUTPUT = INPUT, and one more at the start of a sequence. */
export function simpleSequence(): SimpleModel {
  return {
    config: `platform: "onnxruntime_onnx"
max_batch_size: 8
sequence_batching { max_sequence_idle_microseconds: 5000000 control_input [ ${flag('START', 'START')}, ${flag('READY', 'READY')} ] }
${io('input', 'INPUT', 'INT32', '1')}
${io('output', 'OUTPUT', 'INT32', '1')}
`,
    graph: graph({
      nodes: [
        { opType: 'Mul', input: ['START', 'READY'], output: ['one'] },
        { opType: 'Add', input: ['INPUT', 'one'], output: ['OUTPUT'] },
      ],
      inputs: [column('INPUT'), column('START'), column('READY')],
      outputs: [column('OUTPUT')],
    }),
  };
}

const DYNA = (control: string): string => `platform: "onnxruntime_onnx"
max_batch_size: 8
sequence_batching {
  oldest { max_candidate_sequences: 1024 max_queue_delay_microseconds: 10000 }
  max_sequence_idle_microseconds: 5000000
  control_input [ ${flag('START', 'START')}, ${flag('END', 'END')}, ${flag('READY', 'READY')}, ${control} ]
}
${io('input', 'INPUT', 'INT32', '1')}
${io('output', 'OUTPUT', 'INT32', '1')}
`;

const atEnd = [
  { opType: 'Cast', input: ['CORRID'], output: ['id'], attribute: [{ name: 'to', type: 2, i: 6 }] },
  { opType: 'Mul', input: ['id', 'END'], output: ['idAtEnd'] },
  { opType: 'Mul', input: ['idAtEnd', 'READY'], output: ['last'] },
];

/** OUTPUT = INPUT, one more at the start, and the correlation id more at the end. */
export function dynaSequence(): SimpleModel {
  return {
    config: DYNA(corrid('UINT64')),
    graph: graph({
      nodes: [...atEnd, { opType: 'Add', input: ['INPUT', 'START'], output: ['started'] }, { opType: 'Add', input: ['started', 'last'], output: ['OUTPUT'] }],
      inputs: [column('INPUT'), column('START'), column('END'), column('READY'), column('CORRID', 'UINT64')],
      outputs: [column('OUTPUT')],
    }),
  };
}

/** OUTPUT = the sum of the sequence so far, and the correlation id (a number as a string) more at the end. The sum is an implicit state. */
export function stringDynaSequence(): SimpleModel {
  return {
    config: DYNA(corrid('STRING')).replace(
      'max_sequence_idle',
      'state { input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_INT32 dims: 1 initial_state { name: "zero" data_type: TYPE_INT32 dims: 1 zero_data: true } }\n  max_sequence_idle',
    ),
    graph: graph({
      nodes: [
        ...atEnd,
        { opType: 'Add', input: ['INPUT', 'SUM_IN'], output: ['SUM_OUT'] },
        // A flag that does nothing is still an input.
        { opType: 'Sub', input: ['START', 'START'], output: ['nothing'] },
        { opType: 'Add', input: ['SUM_OUT', 'nothing'], output: ['sum'] },
        { opType: 'Add', input: ['sum', 'last'], output: ['OUTPUT'] },
      ],
      inputs: [column('INPUT'), column('SUM_IN'), column('START'), column('END'), column('READY'), column('CORRID', 'BYTES')],
      outputs: [column('OUTPUT'), column('SUM_OUT')],
    }),
  };
}

/** The files of a model repository with all of them. */
export function simpleRepository(): Record<string, string | Uint8Array> {
  const models: Record<string, SimpleModel> = {
    simple: simple(),
    simple_int8: simple('INT8'),
    simple_string: simpleString(),
    simple_identity: simpleIdentity(),
    simple_sequence: simpleSequence(),
    simple_dyna_sequence: dynaSequence(),
    simple_string_dyna_sequence: stringDynaSequence(),
  };
  return Object.fromEntries(
    Object.entries(models).flatMap(([name, model]) => [
      [`${name}/config.pbtxt`, `name: "${name}"\n${model.config}`],
      [`${name}/1/model.onnx`, model.graph],
    ]),
  );
}
