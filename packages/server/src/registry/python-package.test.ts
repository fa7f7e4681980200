import { expect, it } from 'vitest';
import { pythonRuntimeOf, tensorsOfSignature } from './python-package.ts';

it('is served by MLflow unless its settings say otherwise', () => {
  expect(pythonRuntimeOf({})).toEqual({ kind: 'python', protocol: 'mlflow' });
  expect(
    pythonRuntimeOf({ 'binnacle.image': ' ghcr.io/a/b:1 ', 'binnacle.command': 'uvicorn app:app --uds {socket}', 'binnacle.protocol': 'open-inference' }),
  ).toEqual({
    kind: 'python',
    image: 'ghcr.io/a/b:1',
    command: ['uvicorn', 'app:app', '--uds', '{socket}'],
    protocol: 'open-inference',
  });
  expect(pythonRuntimeOf({ 'binnacle.command': '["sh", "-c", "exec serve --port {port}"]' }).command).toEqual(['sh', '-c', 'exec serve --port {port}']);
  expect(pythonRuntimeOf({ 'binnacle.image': ' ', 'binnacle.command': '' })).toEqual({ kind: 'python', protocol: 'mlflow' });
});

it('refuses settings that are none', () => {
  const bad: Record<string, string>[] = [
    { 'binnacle.command': '[1]' },
    { 'binnacle.command': '[]' },
    { 'binnacle.command': '["a' },
    { 'binnacle.command': '["a\\u0000"]' },
    { 'binnacle.protocol': 'grpc' },
  ];
  for (const settings of bad) expect(() => pythonRuntimeOf(settings)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'python_settings' }));
});

it('makes a tensor of each column, and keeps tensors', () => {
  const inputs = [
    { name: 'a', type: 'double' },
    { name: 'b', type: 'long' },
    { name: 'when', type: 'datetime', required: false },
    { name: 'tags', type: 'array<string>' },
    { name: 'image', type: 'UINT8', shape: [-1, 28, 28] },
  ];
  expect(tensorsOfSignature({ inputs, outputs: [{ name: '0', type: 'boolean' }] })).toEqual({
    inputs: [
      { name: 'a', datatype: 'FP64', shape: [-1] },
      { name: 'b', datatype: 'INT64', shape: [-1] },
      { name: 'when', datatype: 'BYTES', shape: [-1] },
      { name: 'tags', datatype: 'BYTES', shape: [-1] },
      { name: 'image', datatype: 'UINT8', shape: [-1, 28, 28] },
    ],
    outputs: [{ name: '0', datatype: 'BOOL', shape: [-1] }],
  });
  expect(tensorsOfSignature(null)).toBeNull();
});
