import { describe, expect, it } from 'vitest';
import { parseModelConfig, parseModelConfigJson, printedModelConfig } from './model-config.ts';

const refusal = (text: string): string => {
  try {
    parseModelConfig(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was read');
};

describe('config.pbtxt', () => {
  it('reads what Triton’s examples write', () => {
    const config = parseModelConfig(`
      # A model.
      name: "simple"
      platform: 'onnxruntime_onnx'
      max_batch_size: 8
      input [
        { name: "INPUT0" data_type: TYPE_INT32 dims: [ 16 ] },
        { name: "INPUT1", data_type: TYPE_INT32, dims: 2, dims: -1; reshape { shape: [] } }
      ]
      output < name: "OUTPUT0" data_type: 8 dims: [0x10] label_filename: "lab" "els.txt" >
      version_policy: { specific { versions: [1, 3] } }
      instance_group [{ count: 2 kind: KIND_CPU }]
      dynamic_batching {
        preferred_batch_size: [4, 8]
        max_queue_delay_microseconds: 100
        priority_queue_policy { key: 1 value: { timeout_action: DELAY max_queue_size: 010 } }
      }
      parameters { key: "intra_op_thread_count" value { string_value: "2" } }
      parameters: { key: "b" }
      optimization { execution_accelerators { cpu_execution_accelerator: [{ name: "openvino" parameters { key: "x" value: "y" } }] } }
    `);
    expect(config).toEqual({
      name: 'simple',
      platform: 'onnxruntime_onnx',
      max_batch_size: 8,
      input: [
        { name: 'INPUT0', data_type: 'TYPE_INT32', dims: [16] },
        { name: 'INPUT1', data_type: 'TYPE_INT32', dims: [2, -1], reshape: { shape: [] } },
      ],
      output: [{ name: 'OUTPUT0', data_type: 'TYPE_INT32', dims: [16], label_filename: 'labels.txt' }],
      version_policy: { specific: { versions: [1, 3] } },
      instance_group: [{ count: 2, kind: 'KIND_CPU' }],
      dynamic_batching: {
        preferred_batch_size: [4, 8],
        max_queue_delay_microseconds: 100,
        priority_queue_policy: { 1: { timeout_action: 'DELAY', max_queue_size: 8 } },
      },
      parameters: { intra_op_thread_count: { string_value: '2' }, b: {} },
      optimization: { execution_accelerators: { cpu_execution_accelerator: [{ name: 'openvino', parameters: { x: 'y' } }] } },
    });
  });

  it('reads the escapes of strings as bytes of UTF-8', () => {
    expect(parseModelConfig(String.raw`name: "a\tb\x41\303\251\u00e9\U0001F600\"\'\\"`).name).toBe('a\tbAéé😀"\'\\');
  });

  it('takes every number that the format has', () => {
    const { sequence_batching: sequence, metric_tags: tags } = parseModelConfig(
      'sequence_batching { direct { minimum_slot_utilization: -1.5e0f } max_sequence_idle_microseconds: 18446744073709551615 } metric_tags { key: "__proto__" value: "x" }',
    );
    expect(sequence?.direct?.minimum_slot_utilization).toBe(-1.5);
    expect(sequence?.max_sequence_idle_microseconds).toBe(Number.MAX_SAFE_INTEGER);
    expect(Object.keys(tags ?? {})).toEqual(['__proto__']);
  });

  it.each([
    ['name: "a"\n  nmae: "b"', "config.pbtxt:2:3: ModelConfig has no field named 'nmae'"],
    ['input { dimz: 1 }', "config.pbtxt:1:9: ModelConfig.input has no field named 'dimz'"],
    ['max_batch_size: "8"', 'config.pbtxt:1:17: ModelConfig.max_batch_size takes a whole number (int32), not a string'],
    ['max_batch_size: 3000000000', 'config.pbtxt:1:17: ModelConfig.max_batch_size takes a whole number (int32), not 3000000000'],
    ['max_batch_size: 1 max_batch_size: 2', "config.pbtxt:1:19: 'max_batch_size' is given twice"],
    ['input { data_type: TYPE_FLOAT }', /1:20: ModelConfig\.input\.data_type takes one of TYPE_INVALID, .*, not TYPE_FLOAT/],
    ['dynamic_batching {} sequence_batching {}', "config.pbtxt:1:21: 'sequence_batching' excludes 'dynamic_batching', which is given too"],
    ['input { name: "x"', "config.pbtxt:1:18: expected a field or '}', found the end of the text"],
    ['name "x"', "config.pbtxt:1:6: expected ':' or '{' after 'name', found a string"],
    ['name: "x', 'config.pbtxt:1:7: a string has no end'],
    ['max_batch_size: 8x', "config.pbtxt:1:17: '8x' is no number"],
    ['name: "\\q"', 'config.pbtxt:1:7: the string has an escape that means nothing: "\\\\q"'],
    ['input '.concat('{ reshape '.repeat(80)), /nested deeper than 64/],
    ['[a] {}', "config.pbtxt:1:1: expected a field, found '['"],
  ])('refuses %j', (text, expected) => {
    if (typeof expected === 'string') expect(refusal(text)).toBe(expected);
    else expect(refusal(text)).toMatch(expected);
  });

  it('refuses or reads whatever it is given, and never breaks', () => {
    let seed = 12345;
    const random = (n: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed % n;
    };
    const pieces = [
      'name',
      'input',
      'dims',
      'parameters',
      'key',
      'value',
      ':',
      '{',
      '}',
      '<',
      '>',
      '[',
      ']',
      ',',
      ';',
      '"',
      "'",
      '\\',
      '-',
      '1',
      '0x',
      '1e9',
      '#',
      '\n',
      'é',
      '\0',
      'TYPE_FP32',
      'true',
    ];
    let read = 0;
    for (let i = 0; i < 20_000; i++) {
      const text =
        i % 2 === 0
          ? Buffer.from(Array.from({ length: random(60) }, () => random(256))).toString('latin1')
          : Array.from({ length: random(30) }, () => pieces[random(pieces.length)]).join(random(2) === 0 ? ' ' : '');
      try {
        parseModelConfig(text);
        read++;
      } catch (error) {
        expect((error as { code?: string }).code).toBe('invalid_model_config');
      }
    }
    expect(read).toBeGreaterThan(0);
  });
});

describe('a configuration in JSON', () => {
  it('is read by both spellings of the fields, with 64-bit integers as text', () => {
    expect(
      parseModelConfigJson(
        '{"maxBatchSize": 4, "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["2", 3]}], "dynamicBatching": null, "parameters": {"a": {"stringValue": "b"}}}',
      ),
    ).toEqual({ max_batch_size: 4, input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2, 3] }], parameters: { a: { string_value: 'b' } } });
  });

  it.each([
    ['{', /the configuration is no JSON/],
    ['[]', /ModelConfig must be an object/],
    ['{"constructor": 1}', /has no field named 'constructor'/],
    ['{"input": [{"dims": [1.5]}]}', /ModelConfig\.input\[0\]\.dims\[0\] must be of the type int64/],
    ['{"version_policy": {"all": {}, "latest": {}}}', /'latest' excludes 'all'/],
  ])('refuses %s', (text, expected) => {
    expect(() => parseModelConfigJson(text)).toThrow(expected);
  });

  it('prints what was left out with its default, as Triton does', () => {
    const printed = printedModelConfig({ name: 'm', input: [{ name: 'x' }], version_policy: { latest: { num_versions: 1 } } });
    expect(printed).toMatchObject({ name: 'm', platform: '', max_batch_size: 0, cc_model_filenames: {}, version_policy: { latest: { num_versions: 1 } } });
    expect((printed['input'] as object[])[0]).toEqual({
      name: 'x',
      data_type: 'TYPE_INVALID',
      format: 'FORMAT_NONE',
      dims: [],
      is_shape_tensor: false,
      allow_ragged_batch: false,
      optional: false,
      is_non_linear_format_io: false,
    });
    expect(printed).not.toHaveProperty('dynamic_batching');
  });
});
