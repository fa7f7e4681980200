import type { Config } from '../config/index.ts';
import type { RemoteInspector } from '../registry/index.ts';
import type { PackageRuntime } from '../serving/index.ts';

/** Models on servers elsewhere; all of it is loaded when there is the first, and each protocol's client when the first model asks for it. */
export function remoteRuntime(
  config: Pick<Config, 'limits' | 'remote'>,
  allowedHosts: readonly string[] = config.remote.hosts,
): PackageRuntime & RemoteInspector {
  let made: Promise<PackageRuntime & RemoteInspector> | undefined;
  const runtime = () => (made ??= create());
  async function create(): Promise<PackageRuntime & RemoteInspector> {
    const { createRemoteRuntime } = await import('../remote/index.ts');
    return createRemoteRuntime({
      clients: {
        'open-inference': async (target) => (await import('../adapters/triton/index.ts')).openInferenceRest(target),
        'open-inference-grpc': async (target) => (await import('../adapters/triton/index.ts')).openInferenceGrpc(target),
        'tensorflow-serving': async (target) => (await import('../adapters/tf-serving/index.ts')).tensorflowServingRest(target),
        'tensorflow-serving-grpc': async (target) => (await import('../adapters/tf-serving/index.ts')).tensorflowServingGrpc(target),
        mlflow: async (target) => (await import('../adapters/mlflow-scoring/index.ts')).mlflowScoring(target),
        lambda: async (target) => (await import('../adapters/lambda/index.ts')).awsLambda(target),
      },
      allowedHosts,
      secretsDir: config.remote.secretsDir,
      maxReplyBytes: config.limits.maxBodyBytes,
    });
  }
  return {
    load: async (pkg, options) => (await runtime()).load(pkg, options),
    inspect: async (spec, signature) => (await runtime()).inspect(spec, signature),
  };
}
