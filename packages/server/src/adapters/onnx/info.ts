/** The execution providers that this build of ONNX Runtime has. */
export async function onnxBackends(): Promise<string[]> {
  const { listSupportedBackends } = await import('onnxruntime-node');
  return listSupportedBackends().map(({ name }) => name);
}
