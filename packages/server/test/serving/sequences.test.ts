import { afterEach, describe, expect, it } from 'vitest';
import type { SequenceCall } from '../../src/serving/index.ts';
import { graph, value } from '../support/onnx-graphs.ts';
import { type RepositoryKit, repositoryKit } from '../support/model-repository.ts';
import { dynaSequence, simpleSequence, stringDynaSequence } from '../support/triton-simple-models.ts';
import { until } from '../support/serving.ts';

let kit: RepositoryKit | undefined;
afterEach(async () => {
  await kit?.close();
  kit = undefined;
});

type Of = Partial<SequenceCall> & { timeoutMicros?: number; signal?: AbortSignal; value?: number; rows?: number };

/** One request of a sequence; its output's only value. */
async function ask(model: string, of: Of = {}): Promise<number> {
  const { id, start = false, end = false, timeoutMicros, signal, value: given = 0, rows = 1 } = of;
  const reply = await (kit as RepositoryKit).kit.serving.infer({
    endpoint: model,
    inputs: [{ name: 'INPUT', datatype: 'INT32', shape: [rows, 1], data: new Int32Array(rows).fill(given) }],
    call: { ...(id === undefined ? {} : { sequence: { id, start, end } }), timeoutMicros, signal },
    requestId: 'r',
    receivedAt: Date.now(),
    startedAt: performance.now(),
  });
  expect(reply.outputs.map(({ name }) => name)).toEqual(['OUTPUT']);
  return Number(reply.outputs[0]?.data[0]);
}

const one = (model: { config: string; graph: Uint8Array }, change: (config: string) => string = (config) => config) => ({
  'm/config.pbtxt': change(model.config),
  'm/1/model.onnx': model.graph,
});

describe('sequence batching', () => {
  it('feeds START, READY, END and CORRID, and shows the caller none of them', async () => {
    kit = await repositoryKit(one(dynaSequence()));
    expect(kit.kit.serving.get('m').tensors?.inputs.map(({ name }) => name)).toEqual(['INPUT']);
    expect([
      await ask('m', { id: 1000n, start: true, value: 5 }),
      await ask('m', { id: 1000n, value: 7 }),
      await ask('m', { id: 1000n, end: true, value: 1 }),
    ]).toEqual([6, 7, 1001]);
    expect(await ask('m', { id: 77n, start: true, end: true, value: 1 })).toBe(79);
    await expect(ask('m', { id: 'abc', start: true })).rejects.toThrow(/takes it as UINT64/);
  });

  it('carries states from a request to the next, by sequence, ids numbers or strings', async () => {
    kit = await repositoryKit(one(stringDynaSequence()));
    const [a, b] = [42n, '42'];
    expect(await ask('m', { id: a, start: true, value: 20 })).toBe(20);
    expect(await ask('m', { id: b, start: true, value: 1 })).toBe(1);
    expect(await ask('m', { id: a, value: -11 })).toBe(9);
    expect(await ask('m', { id: b, value: 2 })).toBe(3);
    expect(await ask('m', { id: a, end: true, value: 1 })).toBe(10 + 42);
    expect(await ask('m', { id: b, start: true, value: 100 })).toBe(100);
  });

  it('refuses what belongs to no sequence, in Triton’s words', async () => {
    kit = await repositoryKit(one(simpleSequence()));
    await expect(ask('m', {})).rejects.toThrow("inference request to model 'm' must specify a non-zero or non-empty correlation ID");
    const none = "inference request for sequence 7 to model 'm' must specify the START flag on the first request of the sequence";
    await expect(ask('m', { id: 7n })).rejects.toThrow(none);
    await ask('m', { id: 7n, start: true, end: true });
    await expect(ask('m', { id: 7n })).rejects.toThrow(none);
    await expect(ask('m', { id: 'x' })).rejects.toThrow("inference request for sequence x to model 'm' must specify the START flag");
    await expect(ask('m', { id: 8n, start: true, rows: 2 })).rejects.toThrow(
      "inference request to model 'm' must specify batch-size 1 due to requirements of sequence batcher",
    );
  });

  it('keeps the order of a sequence’s requests, however many come at once', async () => {
    kit = await repositoryKit(one(stringDynaSequence()));
    const ids = [1n, 2n, 3n, 4n, 5n];
    const answers = await Promise.all(
      ids.map((id) => Promise.all(Array.from({ length: 20 }, (_, i) => ask('m', { id, start: i === 0, end: i === 19, value: i })))),
    );
    const sums = Array.from({ length: 20 }, (_, i) => (i * (i + 1)) / 2);
    for (const [i, of] of answers.entries()) expect(of).toEqual([...sums.slice(0, 19), (sums[19] as number) + i + 1]);
  });

  it('lets further sequences wait for one of the candidates, and gives them its slot when it ends or is idle', async () => {
    kit = await repositoryKit(one(stringDynaSequence(), (config) => config.replace(/max_candidate_sequences: \d+/, 'max_candidate_sequences: 1')));
    await ask('m', { id: 1n, start: true, value: 1 });
    let answered = false;
    const second = ask('m', { id: 2n, start: true, value: 5 }).then((answer) => {
      answered = true;
      return answer;
    });
    expect(await ask('m', { id: 1n, value: 1 })).toBe(2);
    expect(answered).toBe(false);
    await expect(ask('m', { id: 3n, start: true, timeoutMicros: 1000 })).rejects.toThrow('timeout of the corresponding sequence has been expired');
    const gone = new AbortController();
    const fourth = ask('m', { id: 4n, start: true, signal: gone.signal });
    gone.abort();
    await expect(fourth).rejects.toMatchObject({ code: 'cancelled' });
    await ask('m', { id: 1n, end: true });
    expect(await second).toBe(5);
  });

  it('ends a sequence that is idle too long', async () => {
    kit = await repositoryKit(
      one(simpleSequence(), (config) => config.replace(/max_sequence_idle_microseconds: \d+/, 'max_sequence_idle_microseconds: 50000')),
    );
    await ask('m', { id: 1n, start: true });
    await until(() =>
      ask('m', { id: 1n }).then(
        async () => new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 150)),
        (error: Error) => error.message.includes('must specify the START flag'),
      ),
    );
  });

  it.each([
    ['a control of another datatype', 'int32_false_true: [0, 1]', 'fp32_false_true: [0, 1]', /configuration expects datatype FP32 for the control 'START'/],
    [
      'a control with one value',
      'int32_false_true: [0, 1]',
      'int32_false_true: [0]',
      /'int32_false_true' must have exactly 2 entries for CONTROL_SEQUENCE_START/,
    ],
    ['a control of no input', 'name: "START"', 'name: "BEGIN"', /unexpected inference input 'BEGIN'/],
    ['two of a kind', 'CONTROL_SEQUENCE_READY', 'CONTROL_SEQUENCE_START', /specifies multiple CONTROL_SEQUENCE_START tensors/],
  ])('does not serve %s', async (_what, from, to, reason) => {
    kit = await repositoryKit(one(simpleSequence(), (config) => config.replace(from, to)));
    expect(await kit.control.index()).toMatchObject([{ state: 'UNAVAILABLE', reason: expect.stringMatching(reason) }]);
  });

  it('begins with the initial state that a file holds', async () => {
    const accumulate = graph({
      nodes: [
        { opType: 'Add', input: ['INPUT', 'SUM_IN'], output: ['OUTPUT'] },
        { opType: 'Identity', input: ['OUTPUT'], output: ['SUM_OUT'] },
      ],
      inputs: [value('INPUT', 'INT32', ['N', 1]), value('SUM_IN', 'INT32', ['N', 1])],
      outputs: [value('OUTPUT', 'INT32', ['N', 1]), value('SUM_OUT', 'INT32', ['N', 1])],
    });
    const config = (file: string) => `max_batch_size: 1 sequence_batching { state {
      input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_INT32 dims: 1
      initial_state { name: "seven" data_type: TYPE_INT32 dims: 1 data_file: "${file}" } } }`;
    const files = { 'm/1/model.onnx': accumulate, 'm/initial_state/seven': Uint8Array.of(7, 0, 0, 0), 'm/initial_state/short': Uint8Array.of(7) };
    kit = await repositoryKit({ ...files, 'm/config.pbtxt': config('seven') }, { mode: 'explicit', loadModels: ['m'] });
    expect([
      await ask('m', { id: 1n, start: true, value: 1 }),
      await ask('m', { id: 1n, value: 1 }),
      await ask('m', { id: 1n, start: true, value: 1 }),
    ]).toEqual([8, 9, 8]);
    kit.folder.write('m/config.pbtxt', config('short'));
    await expect(kit.control.load('m', {})).rejects.toThrow(/has 1 bytes, but 'SUM_IN' .* needs 4/);
    expect(await ask('m', { id: 1n, value: 1 })).toBe(9);
  });
});
