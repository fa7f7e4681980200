import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../kernel/index.ts';
import { newTiming } from '../../serving/index.ts';
import { createTraces } from './trace.ts';

const times = { receivedAt: 0, requestAt: 0, answeredAt: 0, sentAt: 0, timing: newTiming(), version: 1 };
const tensor = (text: string) => ({ name: 'x', datatype: 'BYTES' as const, shape: [1], data: [text] });
function open(maxSize?: number) {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-trace-'));
  const traces = createTraces({ file: join(dir, 't.json'), logger: silentLogger, ...(maxSize === undefined ? {} : { maxSize }) });
  traces.update(undefined, { trace_level: ['TENSORS'], trace_rate: '1' });
  const one = (text = 'a') => traces.begin('m', 'HTTP')?.finish(times, { inputs: [tensor(text)], outputs: [] });
  return { dir, traces, one, text: (name: string) => readFileSync(join(dir, name), 'utf8') };
}

it('leaves whole JSON behind when it closes with a log frequency', async () => {
  const { traces, one, dir, text } = open();
  one();
  traces.update(undefined, { log_frequency: '5' });
  one();
  await traces.close();
  expect(readdirSync(dir).sort()).toEqual(['t.json', 't.json.0']);
  for (const name of readdirSync(dir)) expect(JSON.parse(text(name)), name).toHaveLength(2);
});

it('keeps a bound to each trace, to what waits, and to all that is written', async () => {
  const { traces, one, text } = open(5000);
  expect(() => traces.update(undefined, { log_frequency: '10001' })).toThrow(/10000 at most/);
  one('x'.repeat(100_000));
  for (let i = 0; i < 100; i++) one('y'.repeat(900));
  expect(traces.begin('m', 'HTTP')).toBeUndefined();
  await traces.close();
  expect(text('t.json').length).toBeLessThan(5100);
  expect(JSON.parse(text('t.json'))[1].tensor.data).toBe('x'.repeat(1000));
});
