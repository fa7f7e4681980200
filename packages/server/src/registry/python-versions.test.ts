import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openRegistryKit, type RegistryKit } from '../../test/support/registry-kit.ts';
import type { PythonMode } from './index.ts';

const MLMODEL = `
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl, python_version: 3.11.7}
  sklearn: {pickled_model: model.pkl}
metadata: {binnacle.protocol: mlflow}
signature:
  inputs: '[{"name": "a", "type": "double", "required": true}, {"name": "city", "type": "string", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
`;

const options: { python: PythonMode } = { python: 'container' };
let kit: RegistryKit;
const create = (tags = {}) => kit.registry.createVersion({ model: 'py', source: 'mlflow-artifacts:/1/r/artifacts/model', tags });

beforeAll(async () => {
  kit = await openRegistryKit(options);
});
afterAll(() => kit.close());
beforeEach(async () => {
  await kit.reset();
  options.python = 'container';
  await kit.registry.createModel({ name: 'py' });
  await kit.artifacts.put('1/r/artifacts/model/MLmodel', Buffer.from(MLMODEL));
  await kit.artifacts.put('1/r/artifacts/model/model.pkl', Buffer.from('not really a pickle'));
});

it('is servable by its python_function flavour, with the inputs of its signature', async () => {
  expect(await create({ 'binnacle.image': 'team/model:3' })).toMatchObject({
    servable: true,
    statusMessage: '',
    flavors: ['python_function', 'sklearn'],
    tensors: {
      inputs: [
        { name: 'a', datatype: 'FP64', shape: [-1] },
        { name: 'city', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [{ name: '0', datatype: 'FP64', shape: [-1] }],
    },
  });
  expect(await kit.registry.resolve('py', 'latest')).toMatchObject({
    onnxFile: null,
    problem: null,
    runtime: { kind: 'python', image: 'team/model:3', protocol: 'mlflow' },
  });
});

it('is not where the server starts no Python, until it does', async () => {
  options.python = 'off';
  expect(await create()).toMatchObject({ servable: false, statusMessage: expect.stringContaining('--python container') });
  expect(await kit.registry.resolve('py', 'latest')).toMatchObject({ runtime: null, problem: expect.stringContaining('this server starts none') });
  options.python = 'environment';
  expect(await kit.registry.resolve('py', 'latest')).toMatchObject({ runtime: { kind: 'python' }, problem: null });
  options.python = 'off';
  expect(await kit.registry.resolve('py', 'latest')).toMatchObject({ runtime: null, problem: expect.stringContaining('this server starts none') });
});

it('is refused when its pickle is not the one that was registered', async () => {
  await create();
  await kit.artifacts.put('1/r/artifacts/model/binnacle/golden.json', Buffer.from('{}'));
  await kit.registry.resolve('py', 'latest');
  await kit.artifacts.put('1/r/artifacts/model/model.pkl', Buffer.from('quite another one'));
  await expect(kit.registry.resolve('py', 'latest')).rejects.toMatchObject({ kind: 'conflict', code: 'version_files_changed' });
});

it.each(['requirements.txt', 'code/helper.py'])('is refused when %s came after it was registered', async (name) => {
  await create();
  const { checkFiles } = await kit.registry.resolve('py', 'latest');
  await checkFiles?.();
  await kit.artifacts.put(`1/r/artifacts/model/${name}`, Buffer.from(''));
  await expect(kit.registry.resolve('py', 'latest')).rejects.toMatchObject({ kind: 'conflict', code: 'version_files_changed' });
  // What is served already is held to the same before it is started again.
  await expect(checkFiles?.()).rejects.toMatchObject({ code: 'version_files_changed' });
});

it('is refused when its bytes are the same in other files', async () => {
  await kit.artifacts.put('1/r/artifacts/model/z.pkl', Buffer.from('tail'));
  await create();
  await kit.artifacts.put('1/r/artifacts/model/model.pkl', Buffer.from('not really a pickletail'));
  await kit.artifacts.put('1/r/artifacts/model/z.pkl', Buffer.from(''));
  await expect(kit.registry.resolve('py', 'latest')).rejects.toMatchObject({ code: 'version_files_changed' });
});

it('is refused with settings that cannot be followed', async () => {
  await create({ 'binnacle.command': '[1]' });
  await expect(kit.registry.resolve('py', 'latest')).rejects.toMatchObject({ kind: 'invalid', code: 'python_settings' });
});
