import { afterAll, beforeAll, expect, it } from 'vitest';
import { remoteRuntime } from '../../src/compose/remote-models.ts';
import type { RemoteSpec, Signature } from '../../src/registry/index.ts';
import type { Datatype, LoadedModel } from '../../src/serving/index.ts';
import { packageOf, packageRuntimeSuite, tensor } from '../ports/package-runtime.suite.ts';
import { CREDENTIALS, type LambdaFunction, lambdaServer } from '../support/lambda-server.ts';

const TYPES: Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'INT8', 'INT16', 'INT32', 'FP16', 'FP32', 'FP64', 'BYTES'];
const before = { ...process.env };
beforeAll(() => void Object.assign(process.env, CREDENTIALS));
afterAll(() => {
  for (const name of Object.keys(CREDENTIALS)) if (before[name] === undefined) delete process.env[name];
});

interface Event {
  inputs: { name: string; datatype: string; shape: number[]; data: unknown[] }[];
}

const same: LambdaFunction = (event) => {
  const [x] = (event as Event).inputs;
  if (x?.name !== 'x' || x.shape[1] !== 2) return { statusCode: 400, body: JSON.stringify({ error: `x must be [N,2], not [${x?.shape}]` }) };
  return { statusCode: 200, body: JSON.stringify({ outputs: [{ ...x, name: 'y' }] }) };
};

packageRuntimeSuite('AWS Lambda, Open Inference events, a stand-in of its API', {
  protocol: 'lambda',
  scheme: 'lambda',
  async start() {
    const server = await lambdaServer({ same });
    return {
      port: server.port,
      models: Object.fromEntries(TYPES.map((type) => [type, 'same'])),
      signature: (type) => ({ inputs: [{ name: 'x', type, shape: [-1, 2] }], outputs: [{ name: 'y', type, shape: [-1, 2] }] }),
      stop: () => server.stop(),
    };
  },
});

const columns: Signature = {
  inputs: [
    { name: 'a', type: 'double' },
    { name: 'b', type: 'long' },
  ],
  outputs: [{ name: 'predictions', type: 'double' }],
};

async function withFunction(
  work: LambdaFunction,
  use: (model: LoadedModel, server: Awaited<ReturnType<typeof lambdaServer>>) => Promise<void>,
  change: Partial<RemoteSpec> = {},
) {
  const server = await lambdaServer({ score: work });
  const spec: RemoteSpec = { kind: 'remote', protocol: 'lambda', url: `http://127.0.0.1:${server.port}`, model: 'score', payload: 'mlflow', ...change };
  const model = await remoteRuntime({
    limits: { maxBodyBytes: 2 ** 20, maxJsonBytes: 0, maxUploadBytes: 0 },
    remote: { hosts: ['127.0.0.1'], secretsDir: undefined },
  }).load(packageOf(spec, columns));
  try {
    await use(model, server);
  } finally {
    await model.close();
    await server.stop();
  }
}
const row = [tensor('a', 'FP64', [2], [1.5, Number.NaN]), tensor('b', 'INT64', [2], [2n, 9007199254740993n])];

it("a function that takes MLflow's scoring body gets rows of the signature's columns, at its qualifier", async () => {
  await withFunction(
    () => ({ predictions: [1, 2] }),
    async (model, server) => {
      const [y] = await model.execute(row, ['predictions']);
      expect(Array.from((y?.data ?? []) as Float64Array)).toEqual([1, 2]);
      expect(server.invocations.map(({ type, qualifier }) => [type, qualifier])).toEqual([
        ['DryRun', 'live'],
        ['RequestResponse', 'live'],
      ]);
      expect(server.invocations[1]?.body).toBe('{"dataframe_split":{"columns":["a","b"],"data":[[1.5,2],[null,9007199254740993]]}}');
    },
    { version: 'live' },
  );
});

it("a function's own failure is told in its words, and is not the caller's", async () => {
  await withFunction(
    () => {
      throw new Error('no such feature');
    },
    async (model) => {
      await expect(model.execute(row, [])).rejects.toMatchObject({
        kind: 'internal',
        code: 'remote_failed',
        message: expect.stringContaining('no such feature'),
      });
      expect(model.problem).toBeUndefined();
    },
  );
});

it('a wrong secret is no fault of the caller either', async () => {
  await withFunction(
    () => ({}),
    async (model) => {
      process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
      try {
        await expect(
          withFunction(
            () => ({}),
            async () => {},
          ),
        ).rejects.toMatchObject({ kind: 'unavailable', code: 'remote_denied' });
      } finally {
        process.env.AWS_SECRET_ACCESS_KEY = CREDENTIALS.AWS_SECRET_ACCESS_KEY;
      }
      expect(model.tier).toBe('remote');
    },
  );
});
