import type { RemoteModelFacts } from '../../remote/index.ts';

interface TensorMetadata {
  name?: unknown;
  datatype?: unknown;
  shape?: unknown;
}

/** A model's configuration, as much as decides how it is fed. Field names as in Triton's model_config.proto. */
export interface ModelConfig {
  max_batch_size?: number | undefined;
  input?: { name?: string; optional?: boolean }[] | undefined;
}

/**
 * A server's metadata of a model. Where Triton's configuration says that no input is optional, a request is checked here and spares the way; where it
 * says that the first dimension is the batch, requests may be merged. Throws an Error for what is no metadata.
 */
export function factsOf(metadata: { inputs?: unknown; outputs?: unknown }, config: ModelConfig | undefined): RemoteModelFacts {
  const inputs = specsOf(metadata.inputs);
  const complete = config !== undefined && inputs.length > 0 && config.input?.every(({ optional }) => optional !== true) === true;
  return { inputs, outputs: specsOf(metadata.outputs), batchable: complete && (config.max_batch_size ?? 0) > 1, checksInputs: !complete };
}

function specsOf(list: unknown): { name: string; datatype: string; shape: number[] }[] {
  // MLServer leaves the lists out (or null) where the model's settings name none.
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new Error('its metadata has no lists of tensors');
  return list.map(({ name, datatype, shape }: TensorMetadata) => {
    if (typeof name !== 'string' || typeof datatype !== 'string' || !Array.isArray(shape))
      throw new Error('its metadata has a tensor without name, datatype and shape');
    return { name, datatype, shape: shape.map((size) => (Number(size) >= 0 ? Number(size) : -1)) };
  });
}
