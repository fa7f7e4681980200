import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remoteRuntime } from '../../src/compose/remote-models.ts';
import { BinnacleError } from '../../src/kernel/index.ts';
import type { ModelPackage, RemoteSpec, Signature } from '../../src/registry/index.ts';
import { type Datatype, type LoadedModel, type LoadOptions, type Tensor, TENSOR_ARRAYS } from '../../src/serving/index.ts';
import { until } from '../support/serving.ts';
import { tcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** A server that a runtime is held against. Its models give the input `x` [N,2] back as `y`. */
export interface StandIn {
  port: number;
  /** Behind host and port, where a model has an address of its own. */
  paths?: (model: string) => string;
  /** A model for each datatype that the protocol carries. */
  models: Partial<Record<Datatype, string>>;
  /** Where the server does not say itself what its models take. */
  signature?: (datatype: Datatype) => Signature;
  /** Where the protocol names its one answer. */
  output?: string;
  stop(): Promise<void>;
}

export interface SuiteOptions {
  protocol: RemoteSpec['protocol'];
  scheme: 'http' | 'grpc' | 'lambda';
  extra?: Partial<RemoteSpec>;
  /** False where a server takes any name for its one model. */
  namesModels?: boolean;
  start(): Promise<StandIn>;
}

const VALUES: Record<Datatype, unknown[]> = {
  BOOL: [1, 0, 0, 1],
  UINT8: [0, 1, 254, 255],
  UINT16: [0, 1, 65534, 65535],
  UINT32: [0, 1, 4294967294, 4294967295],
  UINT64: [0n, 1n, 9007199254740993n, 18446744073709551615n],
  INT8: [-128, -1, 0, 127],
  INT16: [-32768, -1, 0, 32767],
  INT32: [-2147483648, -1, 0, 2147483647],
  INT64: [-9223372036854775808n, -1n, 9007199254740993n, 9223372036854775807n],
  FP16: [0x3c00, 0xc000, 0x7bff, 0x0001],
  FP32: [1.5, -0.1, 3.4028234663852886e38, 1e-45],
  FP64: [0.1, -2.5e-308, 1.7976931348623157e308, 3],
  BYTES: ['', 'héllo "q"', '日本語', 'line\nbreak'],
};

export function tensor(name: string, datatype: Datatype, shape: number[], values: readonly unknown[]): Tensor {
  const data = datatype === 'BYTES' ? (values as string[]) : Object.assign(new TENSOR_ARRAYS[datatype](values.length), values);
  return { name, datatype, shape, data };
}

export function packageOf(spec: RemoteSpec, signature: Signature | null = null): ModelPackage {
  return {
    id: `remote-${spec.model}`,
    model: 'remote',
    version: 1,
    runId: null,
    dir: '/nowhere',
    flavors: ['binnacle.remote'],
    signature,
    runtime: spec,
    onnxFile: null,
    problem: null,
    tensors: null,
    goldenFile: null,
    profileFile: null,
    trainingDataFile: null,
    settings: {},
  };
}

/** What every runtime of models elsewhere must do, through a wire that can be cut and held. */
export function packageRuntimeSuite(name: string, options: SuiteOptions): void {
  describe(name, () => {
    let standIn: StandIn;
    let wire: TcpProxy;
    const open: LoadedModel[] = [];
    beforeAll(async () => {
      standIn = await options.start();
      wire = await tcpProxy(standIn.port);
    }, 120_000);
    afterAll(async () => {
      for (const model of open) await model.close();
      await wire?.close();
      await standIn?.stop();
    });

    const datatypes = (): Datatype[] => Object.keys(standIn.models) as Datatype[];
    const specOf = (model: string, change: Partial<RemoteSpec> = {}): RemoteSpec => ({
      kind: 'remote',
      protocol: options.protocol,
      url: `${options.scheme === 'lambda' ? 'http' : options.scheme}://127.0.0.1:${wire.port}${standIn.paths?.(model) ?? ''}`,
      model,
      ...options.extra,
      ...change,
    });
    async function load(datatype: Datatype, change: Partial<RemoteSpec> = {}, loadOptions: LoadOptions = {}, maxReplyBytes = 2 ** 26): Promise<LoadedModel> {
      const model = standIn.models[datatype] as string;
      const runtime = remoteRuntime({
        limits: { maxBodyBytes: maxReplyBytes, maxJsonBytes: 0, maxUploadBytes: 0 },
        remote: { hosts: options.scheme === 'lambda' ? ['127.0.0.1'] : [], secretsDir: undefined },
      });
      const loaded = await runtime.load(packageOf(specOf(model, change), standIn.signature?.(datatype) ?? null), loadOptions);
      open.push(loaded);
      return loaded;
    }
    const some = (datatype: Datatype, rows = 2): Tensor =>
      tensor(
        'x',
        datatype,
        [rows, 2],
        Array.from({ length: rows * 2 }, (_, i) => VALUES[datatype][i % 4]),
      );
    const output = (): string => standIn.output ?? 'y';
    const run = async (model: LoadedModel, inputs: Tensor[], ...rest: [string[]?, ...unknown[]]): Promise<Tensor[]> =>
      model.execute(inputs, rest[0] ?? [output()], rest[1] as never);
    const failure = async (work: Promise<unknown>): Promise<BinnacleError> => {
      const error = await work.then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(BinnacleError);
      return error as BinnacleError;
    };

    it('loads, and says what the model takes and gives', async () => {
      const model = await load('FP32');
      expect(model.tier).toBe('remote');
      expect(model.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 2] }]);
      expect(model.outputs.map(({ name: n }) => n)).toEqual([output()]);
      expect(model.problem).toBeUndefined();
      expect(model.runMicros).toBeNaN();
    });

    it('measures itself by a real row, where there is one', async () => {
      const model = await load('FP32', {}, { sample: [some('FP32')] });
      expect(model.runMicros).toBeGreaterThan(0);
    });

    it('carries every datatype exactly, there and back', async () => {
      for (const datatype of datatypes()) {
        const model = await load(datatype);
        const [y] = await run(model, [some(datatype)]);
        expect(y, datatype).toEqual({ ...some(datatype), name: output() });
        await model.close();
      }
    });

    it('answers all outputs for none asked', async () => {
      expect((await run(await load('FP32'), [some('FP32')], [])).map(({ name: n }) => n)).toEqual([output()]);
    });

    it('answers many at a time, over connections that it keeps', async () => {
      const model = await load('FP32', {}, { instances: 4 });
      await run(model, [some('FP32')]);
      const before = wire.made;
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(Array.from({ length: 4 }, (_, i) => run(model, [tensor('x', 'FP32', [1, 2], [i, round])])));
        expect(answers.map(([y]) => Array.from((y?.data ?? []) as Float32Array))).toEqual(Array.from({ length: 4 }, (_, i) => [i, round]));
      }
      expect(wire.made - before).toBeLessThanOrEqual(4);
    });

    it('hands on what the server says of bad input', async () => {
      const model = await load('FP32');
      const error = await failure(run(model, [tensor('x', 'FP32', [1, 3], [1, 2, 3])]));
      expect([error.kind, error.code]).toEqual(['invalid', 'remote_refused']);
      expect(error.message.length).toBeGreaterThan(10);
      expect(await run(model, [some('FP32')])).toHaveLength(1);
    });

    it.runIf(options.namesModels !== false)('does not load a model that the server does not have', async () => {
      const runtime = remoteRuntime({
        limits: { maxBodyBytes: 2 ** 20, maxJsonBytes: 0, maxUploadBytes: 0 },
        remote: { hosts: options.scheme === 'lambda' ? ['127.0.0.1'] : [], secretsDir: undefined },
      });
      const error = await failure(runtime.load(packageOf(specOf('nobody'), standIn.signature?.('FP32') ?? null)));
      expect([error.kind, error.code]).toEqual(['unavailable', 'remote_model_missing']);
    });

    it('gives a slow server up when its time is over', async () => {
      const model = await load('FP32', { timeoutMs: 300 });
      await run(model, [some('FP32')]);
      wire.hold(true);
      try {
        const started = performance.now();
        const error = await failure(run(model, [some('FP32')]));
        expect([error.kind, error.code]).toEqual(['unavailable', 'remote_timeout']);
        expect(performance.now() - started).toBeLessThan(5000);
      } finally {
        wire.hold(false);
      }
      expect(await run(model, [some('FP32')])).toHaveLength(1);
    });

    it('gives up at once what the caller cancels', async () => {
      const model = await load('FP32', { timeoutMs: 60_000 });
      await run(model, [some('FP32')]);
      wire.hold(true);
      try {
        const abort = new AbortController();
        const before = wire.received;
        const work = failure(run(model, [some('FP32')], undefined, { signal: abort.signal }));
        await until(() => wire.received > before);
        abort.abort();
        expect((await work).code).toBe('cancelled');
      } finally {
        wire.hold(false);
      }
      expect((await failure(run(model, [some('FP32')], undefined, { signal: AbortSignal.abort() }))).code).toBe('cancelled');
    });

    it('refuses a reply beyond the limit', async () => {
      const model = await load('FP32', {}, {}, 100_000);
      const error = await failure(run(model, [some('FP32', 30_000)]));
      expect([error.kind, error.code]).toEqual(['internal', 'remote_reply_too_large']);
      expect(await run(model, [some('FP32')])).toHaveLength(1);
    });

    it('says that the server is away, and takes it back by itself', async () => {
      const model = await load('FP32');
      await wire.cut();
      try {
        const error = await failure(run(model, [some('FP32')]));
        expect([error.kind, error.code]).toEqual(['unavailable', 'remote_unreachable']);
        expect(model.problem).toContain('cannot be reached');
        expect((await failure(load('FP32'))).kind).toBe('unavailable');
      } finally {
        await wire.restore();
      }
      await until(() => model.problem === undefined, 20_000);
      expect(await run(model, [some('FP32')])).toHaveLength(1);
    });

    it('leaves no connection behind', async () => {
      for (const model of open.splice(0)) await model.close();
      await until(() => wire.open === 0, 10_000);
    });
  });
}
