import { expect, test } from 'vitest';
import { overriddenConfig } from './config-override.ts';

const overridden = (config: object, before = {}) => overriddenConfig(JSON.stringify(config), before);

test('what a configuration does not name goes back to the default, and what it cannot say stays', () => {
  const before = { instances: 3, threads: 2, memoryArena: false, batching: { maxRows: 8 }, cache: { maxMiB: 5 }, maxQueue: 7, tier: 'worker' as const };
  expect(overridden({ name: 'other', platform: 'onnxruntime_onnx', input: [{ name: 'x' }] }, before)).toEqual({ maxQueue: 7, tier: 'worker' });
  expect(overridden({ response_cache: { enable: true } }, before)).toEqual({ maxQueue: 7, tier: 'worker', cache: { maxMiB: 5 } });
});

test('rows are merged where it says so, none where a batch holds nothing', () => {
  expect(overridden({ max_batch_size: 16 })).toEqual({ batching: { maxRows: 16 } });
  expect(overridden({ max_batch_size: 0 })).toEqual({ batching: { enabled: 'off' } });
  expect(overridden({ max_batch_size: 8, dynamicBatching: { preferredBatchSize: [4, 16], maxQueueDelayMicroseconds: '300' } })).toEqual({
    batching: { enabled: 'on', maxRows: 8, preferredRows: [4], maxQueueDelayMicros: 300 },
  });
});

test('a queue policy has the defaults of ModelConfig, under which a request may not bring its own time-out', () => {
  const policy = { timeoutAction: 'delay', defaultTimeoutMicros: 5, allowTimeoutOverride: false, maxQueueSize: 0 };
  expect(overridden({ dynamic_batching: { priority_queue_policy: { 2: { timeout_action: 'DELAY', default_timeout_microseconds: 5 } } } })).toEqual({
    batching: { enabled: 'on', priorityQueuePolicies: { 2: policy } },
  });
});

test('a GPU may be named by what runs on one', () => {
  const config = { instance_group: [{ kind: 'KIND_GPU', count: 2 }] };
  expect(() => overridden(config)).toThrow(/KIND_GPU is set by the endpoint's providers/);
  expect(overridden(config, { providers: [{ name: 'cuda' }] })).toEqual({ instances: 2, providers: [{ name: 'cuda' }] });
});

test.each([
  [{ sequence_batching: {} }, /'sequence_batching' has no meaning for a model of the registry/],
  [{ max_batch_sise: 1 }, /has no field named 'max_batch_sise'/],
  [{ max_batch_size: -1 }, /'max_batch_size' must be a whole number, 0 or more, not -1/],
  [{ instance_group: [{ count: -1 }] }, /'instance_group.count' must be a whole number/],
  [{ instance_group: { count: 1 } }, /instance_group must be a list/],
  [{ parameters: { inter_op: { string_value: '1' } } }, /the parameter 'inter_op' is not known/],
  [{ parameters: { intra_op_thread_count: { string_value: 'all' } } }, /'intra_op_thread_count' is not known, or its value is no whole number/],
])('%j is refused', (config, message) => {
  expect(() => overridden(config)).toThrow(message);
});
