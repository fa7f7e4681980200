import type { VersionStatus } from './core.ts';
import { tfType } from './datatypes.ts';
import { METHODS, type ServingSignature, type SignatureTensor } from './signatures.ts';

const print = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;

/** GetModelStatusResponse as protobuf's JSON: 64-bit integers are strings. */
export const statusReply = (statuses: readonly VersionStatus[]): string =>
  print({
    model_version_status: statuses.map(({ version, state, error }) => ({
      version: String(version),
      state,
      status: { error_code: error === '' ? 'OK' : 'UNKNOWN', error_message: error },
    })),
  });

const tensorInfo = ({ tensor, datatype, shape }: SignatureTensor): object => ({
  dtype: tfType(datatype).name,
  tensor_shape: { dim: shape.map((dimension) => ({ size: String(dimension), name: '' })), unknown_rank: false },
  name: tensor,
});

const each = <T, U>(values: Record<string, T>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));

/** GetModelMetadataResponse as TensorFlow Serving prints it. */
export const metadataReply = (name: string, version: number, signatures: Record<string, ServingSignature>): string =>
  print({
    model_spec: { name, signature_name: '', version: String(version) },
    metadata: {
      signature_def: {
        signature_def: each(signatures, ({ method, inputs, outputs }) => ({
          inputs: each(inputs, tensorInfo),
          outputs: each(outputs, tensorInfo),
          method_name: METHODS[method],
          defaults: {},
        })),
      },
    },
  });
