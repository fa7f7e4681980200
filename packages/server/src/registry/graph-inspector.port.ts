import type { TensorSpec } from '@binnacle/contract';

/** Reads an ONNX graph without running it. */
export interface GraphInspector {
  /**
   * Parses the file, checks that external data stays inside its folder, and rewires ZipMap outputs to ZipMap's input tensor.
   * Throws `invalid` (code `onnx_invalid`) when the file is not a servable ONNX graph.
   * `labels` are the class names of outputs that were rewired, in order.
   * `rewritten` holds the new file's bytes when the graph had to be changed, else null. `external` are the files that hold its weights, relative to its folder.
   */
  inspect(file: string): Promise<{
    inputs: TensorSpec[];
    outputs: TensorSpec[];
    labels: Record<string, string[]>;
    rewritten: Uint8Array | null;
    external: string[];
  }>;
}
