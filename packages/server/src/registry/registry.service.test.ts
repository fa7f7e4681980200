import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withExternalData } from '../../test/support/onnx-graphs.ts';
import { openRegistryKit, type RegistryKit, recordedFile } from '../../test/support/registry-kit.ts';
import { parseMlModel } from './mlmodel.ts';

let kit: RegistryKit;
beforeAll(async () => {
  kit = await openRegistryKit({ maxUploadBytes: 1_000_000 });
});
beforeEach(async () => {
  await kit.reset();
  kit.runs.set('r1', { metrics: { 'val/auc': 0.7 }, datasets: [{ name: 'flights', digest: 'd1', context: 'training' }] });
  await kit.registry.createModel({ name: 'flights' });
});
afterAll(() => kit.close());

const chunked = async function* (bytes: Uint8Array) {
  for (let i = 0; i < bytes.length; i += 1000) yield bytes.subarray(i, i + 1000);
};
const model = recordedFile('linear/model/model.onnx');

describe('a version of files in the store', () => {
  it.each([
    ['runs:/r1/model', '1/r1/artifacts/model'],
    ['mlflow-artifacts:/1/r1/artifacts/model', '1/r1/artifacts/model'],
    ['models:/m-0123', '1/models/m-0123/artifacts'],
  ])('%s is inspected, its ZipMap rewired beside the author’s file, and resolved', async (source, path) => {
    kit.loggedModels.set('m-0123', { modelId: 'm-0123', name: 'model', artifactUri: 'mlflow-artifacts:/1/models/m-0123/artifacts', sourceRunId: 'r1' });
    await kit.putModel(path);
    const version = await kit.registry.createVersion({ model: 'flights', source, runId: source.startsWith('mlflow') ? 'r1' : null });
    expect(version).toMatchObject({
      version: 1,
      servable: true,
      statusMessage: '',
      runId: 'r1',
      storageUri: `mlflow-artifacts:/${path}`,
      flavors: ['onnx', 'python_function'],
    });
    expect(version.signature?.inputs.map(({ name }) => name)).toEqual(['dep_hour', 'day_of_week', 'distance', 'origin', 'destination']);
    expect(version.tensors?.outputs.map(({ datatype, shape }) => [datatype, shape])).toContainEqual(['FP32', [-1, 2]]);
    expect(version.derivedPath).toMatch(/^\.binnacle\/graphs\//);
    const pkg = await kit.registry.resolve('flights', 'latest');
    expect(pkg).toMatchObject({
      model: 'flights',
      version: 1,
      runId: 'r1',
      problem: null,
      profileFile: null,
      trainingDataFile: null,
      settings: { label: 'late: arrival delay >= 15 minutes', 'binnacle.graph_labels.output_probability': '["0","1"]' },
    });
    expect(readFileSync(pkg.onnxFile as string).equals(model)).toBe(false);
    expect(readFileSync(join(pkg.dir, 'model.onnx')).equals(model)).toBe(true);
    expect(pkg.goldenFile).toContain(path);
    expect(await kit.artifacts.list('')).not.toContainEqual(expect.objectContaining({ path: '.binnacle' }));
  });

  it("companions are looked for in the run's artifacts when the package has none", async () => {
    await kit.putModel('1/r1/artifacts/model', 'linear', ['binnacle/golden.json']);
    await kit.artifacts.put('1/r1/artifacts/binnacle/golden.json', recordedFile('linear/model/binnacle/golden.json'));
    await kit.artifacts.put('1/r1/artifacts/binnacle/training.csv', Buffer.from('a\n1\n'));
    await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' });
    const pkg = await kit.registry.resolve('flights', { version: 1 });
    expect(pkg.goldenFile).toMatch(/r1\/artifacts\/binnacle\/golden\.json$/);
    expect(pkg.trainingDataFile).toMatch(/training\.csv$/);
    const detail = await kit.views.detail(await kit.registry.getVersion('flights', 1));
    expect(detail).toMatchObject({ hasProfile: true, metrics: { 'val/auc': 0.7 }, runName: 'run r1', servable: true });
    expect(detail.goldenExamples).toBeGreaterThan(0);
    expect(detail.files.map(({ path }) => path)).toContain('model.onnx');
  });

  it('runs:/<run>/<name> leads to the logged model when the run has no such folder', async () => {
    kit.loggedModels.set('m-9', { modelId: 'm-9', name: 'net', artifactUri: 'mlflow-artifacts:/1/models/m-9/artifacts', sourceRunId: 'r1' });
    await kit.putModel('1/models/m-9/artifacts', 'bad');
    expect(await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/net' })).toMatchObject({
      storagePath: '1/models/m-9/artifacts',
      loggedModelId: 'm-9',
      servable: true,
    });
    expect(kit.noted).toEqual(['m-9 → flights/1']);
  });

  it('a graph that was changed after registration is not loaded', async () => {
    await kit.putModel('1/r1/artifacts/model');
    await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' });
    for (let i = 0; i < 2; i++) await kit.registry.resolve('flights', { version: 1 });
    await kit.artifacts.put('1/r1/artifacts/model/model.onnx', recordedFile('bad/model/model.onnx'));
    await expect(kit.registry.resolve('flights', { version: 1 })).rejects.toMatchObject({ kind: 'conflict', code: 'version_files_changed' });
  });

  it('weights beside the graph that were changed after registration are not loaded either', async () => {
    await kit.putModel('1/r1/artifacts/model');
    await kit.artifacts.put('1/r1/artifacts/model/model.onnx', Buffer.from(withExternalData('w.bin')));
    await kit.artifacts.put('1/r1/artifacts/model/w.bin', Buffer.from(Float32Array.of(2, 3).buffer));
    const version = await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' });
    expect(version).toMatchObject({ servable: true, externalFiles: ['w.bin'] });
    for (let i = 0; i < 2; i++) await kit.registry.resolve('flights', { version: 1 });
    await kit.artifacts.put('1/r1/artifacts/model/w.bin', Buffer.from(Float32Array.of(2, 4).buffer));
    await expect(kit.registry.resolve('flights', { version: 1 })).rejects.toMatchObject({ kind: 'conflict', code: 'version_files_changed' });
  });

  it('a package is known by its version and no other, though names come again', async () => {
    await kit.putModel('1/r1/artifacts/model');
    await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' });
    const first = await kit.registry.resolve('flights', { version: 1 });
    await kit.registry.renameModel('flights', 'renamed');
    await kit.registry.createModel({ name: 'flights' });
    expect((await kit.registry.resolve('renamed', { version: 1 })).id).toBe(first.id);
    await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' });
    expect((await kit.registry.resolve('flights', { version: 1 })).id).not.toBe(first.id);
  });

  it('files that come after the registration are found when the version is needed', async () => {
    expect(await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' })).toMatchObject({
      servable: false,
      statusMessage: expect.stringContaining('no MLmodel file at mlflow-artifacts:/1/r1/artifacts/model'),
    });
    await expect(kit.registry.resolve('flights', { version: 1 })).rejects.toMatchObject({ code: 'version_has_no_files' });
    await kit.putModel('1/r1/artifacts/model');
    expect(await kit.registry.resolve('flights', { version: 1 })).toMatchObject({ problem: null });
    expect(await kit.registry.getVersion('flights', 1)).toMatchObject({ servable: true, statusMessage: '' });
  });

  it('a version of a version shares its files', async () => {
    await kit.putModel('1/r1/artifacts/model');
    await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' });
    await kit.registry.setAlias({ model: 'flights', alias: 'best one-'.replace(' ', '_'), version: 1 });
    await kit.registry.createModel({ name: 'prod' });
    expect(await kit.registry.createVersion({ model: 'prod', source: 'models:/flights/1' })).toMatchObject({
      source: 'models:/flights/1',
      storageUri: 'mlflow-artifacts:/1/r1/artifacts/model',
      runId: 'r1',
      servable: true,
    });
    expect(await kit.registry.createVersion({ model: 'prod', source: 'models:/flights@best_one-' })).toMatchObject({ source: 'models:/flights/1', version: 2 });
  });
});

describe('a version that cannot be served is registered all the same, and says why', () => {
  it.each([
    ['of another flavour', 'flavors:\n  sklearn: {}\n', 'only the flavours sklearn'],
    ['whose MLmodel is broken', 'flavors: [', 'not YAML'],
    ['whose ONNX file is missing', 'flavors:\n  onnx: {data: gone.onnx}\n', 'gone.onnx, which is not among the files'],
    ['whose data path climbs', 'flavors:\n  onnx: {data: ../../../secret}\n', "contains '..'"],
    ['whose graph is corrupt', 'flavors:\n  onnx: {data: MLmodel}\n', 'cannot be served'],
  ])('one %s', async (_what, text, why) => {
    await kit.artifacts.put('1/r1/artifacts/model/MLmodel', Buffer.from(text));
    expect(await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' })).toMatchObject({
      servable: false,
      statusMessage: expect.stringContaining(why),
    });
    expect(await kit.registry.resolve('flights', 'latest')).toMatchObject({ onnxFile: null, problem: expect.stringContaining(why) });
    await kit.registry.setAlias({ model: 'flights', alias: 'champion', version: 1 });
  });

  it('one whose files are elsewhere', async () => {
    expect(await kit.registry.createVersion({ model: 'flights', source: 's3://bucket/model' })).toMatchObject({
      servable: false,
      storagePath: null,
      storageUri: 's3://bucket/model',
      statusMessage: expect.stringContaining('s3://bucket/model'),
    });
  });
});

describe('sources that are refused', () => {
  const refused = [
    '/etc',
    'file:///etc',
    'relative/path',
    '../x',
    'mlflow-artifacts:/../../etc',
    'mlflow-artifacts:/a/%2e%2e/%252e%252e/b',
    's3://b/../c',
    'mlflow-artifacts:/',
    'mlflow-artifacts:/.binnacle/graphs',
    'runs:/none/model',
    'models:/m-none',
    'models:/flights/7',
    'models:/flights@none',
    'runs:/r1/../r2',
    'models:/',
    'mlflow-artifacts:/a\0b',
  ];
  it('local paths, paths that climb, and what does not exist', async () => {
    for (const source of refused) await expect(kit.registry.createVersion({ model: 'flights', source }), source).rejects.toMatchObject({ kind: 'invalid' });
    expect(await kit.registry.getModel('flights')).toMatchObject({ versionCount: 0 });
  });

  it('a run or model other than the one named beside', async () => {
    kit.runs.set('r2', {});
    await expect(kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model', runId: 'r2' })).rejects.toThrow('The run_id request parameter must');
  });
});

describe('an uploaded MLmodel file of an ensemble', () => {
  it('is a version of its own, resolved with its steps', async () => {
    const text = `
flavors:
  binnacle.ensemble:
    inputs: [{ name: text, datatype: BYTES, shape: [-1, 1] }]
    outputs: [{ name: score, datatype: FP32, shape: [-1, 1] }]
    steps:
      - { model: tokenizer, inputs: { raw: text }, outputs: { ids: tokens } }
      - { model: scorer, version: 3, inputs: { ids: tokens }, outputs: { y: score } }
`;
    const version = await kit.registry.uploadVersion({ model: 'pushed', filename: 'MLmodel', body: chunked(Buffer.from(text)) });
    expect(version).toMatchObject({
      servable: true,
      flavors: ['binnacle.ensemble'],
      tensors: { inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1, 1] }] },
    });
    const pkg = await kit.registry.resolve('pushed', { version: 1 });
    expect(pkg).toMatchObject({ onnxFile: null, problem: null });
    expect(pkg.runtime).toEqual({
      kind: 'ensemble',
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1, 1] }],
      outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
      steps: [
        { model: 'tokenizer', inputs: { raw: 'text' }, outputs: { ids: 'tokens' } },
        { model: 'scorer', version: 3, inputs: { ids: 'tokens' }, outputs: { y: 'score' } },
      ],
    });
  });
});

describe('an uploaded ONNX file', () => {
  it('becomes an MLflow model directory with a signature of the graph, and a version of a new model', async () => {
    const version = await kit.registry.uploadVersion({ model: 'pushed', filename: 'flights model.onnx', body: chunked(model), description: 'd', runId: 'r1' });
    expect(version).toMatchObject({
      model: 'pushed',
      version: 1,
      servable: true,
      description: 'd',
      runId: 'r1',
      source: expect.stringMatching(/^mlflow-artifacts:\/registry\/[0-9a-f]{32}$/),
    });
    const text = (await kit.artifacts.readText(`${version.storagePath}/MLmodel`, 100_000)) as string;
    expect(parseMlModel(text)).toMatchObject({
      onnxData: 'flights model.onnx',
      runId: 'r1',
      signature: { inputs: [{ name: 'dep_hour', type: 'long' }, {}, { name: 'distance', type: 'double' }, { name: 'origin', type: 'string' }, {}] },
    });
    expect(version.graphSha256).toBe(createHash('sha256').update(model).digest('hex'));
    expect((await kit.registry.uploadVersion({ model: 'pushed', filename: 'm.onnx', body: chunked(model) })).version).toBe(2);
  });

  it('goes with the last version that uses it', async () => {
    const { storagePath } = await kit.registry.uploadVersion({ model: 'pushed', filename: 'm.onnx', body: chunked(model) });
    await kit.registry.createVersion({ model: 'flights', source: 'models:/pushed/1' });
    await kit.registry.deleteModel('pushed');
    expect(await kit.registry.resolve('flights', 'latest')).toMatchObject({ problem: null });
    await kit.registry.deleteVersion('flights', 1);
    expect(await kit.artifacts.stat(storagePath as string)).toBeUndefined();
  });

  const leftovers = async () => (await kit.artifacts.listFiles('registry')).length;
  it.each([
    ['that is corrupt', 'm.onnx', chunked(Buffer.from('not onnx at all')), 'onnx_invalid'],
    ['cut in half', 'm.onnx', chunked(model.subarray(0, model.length / 2)), 'onnx_invalid'],
    ['that is empty', 'm.onnx', chunked(Buffer.alloc(0)), 'onnx_invalid'],
    ['over the limit', 'm.onnx', chunked(Buffer.alloc(1_000_001)), 'artifact_too_large'],
    ['with a path for a name', 'a/m.onnx', chunked(model), 'invalid_filename'],
    ['with a name that climbs', '../m.onnx', chunked(model), 'artifact_path_invalid'],
    ['of another kind', 'm.pkl', chunked(model), 'invalid_filename'],
    ['an MLmodel file that needs others', 'MLmodel', chunked(Buffer.from('flavors: {onnx: {data: model.onnx}}')), 'mlmodel_invalid'],
    ['a misspelt ensemble', 'MLmodel', chunked(Buffer.from('flavors: {binnacle.ensemble: {step: []}}')), 'mlmodel_invalid'],
  ])('%s leaves neither files nor a model', async (_what, filename, body, code) => {
    await expect(kit.registry.uploadVersion({ model: 'pushed', filename, body })).rejects.toMatchObject({ code });
    expect(await kit.registry.findModel('pushed')).toBeUndefined();
    expect(await leftovers()).toBe(0);
  });

  it('that breaks off leaves nothing', async () => {
    const broken = (async function* () {
      yield model.subarray(0, 1000);
      throw new Error('aborted');
    })();
    await expect(kit.registry.uploadVersion({ model: 'pushed', filename: 'm.onnx', body: broken })).rejects.toThrow('aborted');
    expect(await kit.registry.findModel('pushed')).toBeUndefined();
    expect(await leftovers()).toBe(0);
  });

  it('for a run that does not exist is refused before it is read', async () => {
    await expect(kit.registry.uploadVersion({ model: 'pushed', filename: 'm.onnx', body: chunked(model), runId: 'none' })).rejects.toMatchObject({
      code: 'run_not_found',
    });
  });
});

describe('deleting', () => {
  beforeEach(async () => {
    await kit.putModel('1/r1/artifacts/model');
    for (let i = 0; i < 2; i++) await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' });
    kit.endpoints.push({ model: 'flights', endpoint: 'live', versions: [2] });
  });

  it('what an endpoint serves is refused, by name; the rest goes, the run’s files stay', async () => {
    await expect(kit.registry.deleteVersion('flights', 2)).rejects.toMatchObject({
      kind: 'conflict',
      code: 'model_is_served',
      message: expect.stringContaining('the endpoint live'),
    });
    await expect(kit.registry.deleteModel('flights')).rejects.toMatchObject({ code: 'model_is_served' });
    await expect(kit.registry.renameModel('flights', 'other')).rejects.toMatchObject({ code: 'model_is_served' });
    const { derivedPath } = await kit.registry.getVersion('flights', 1);
    await kit.registry.deleteVersion('flights', 1);
    await expect(kit.artifacts.materialize(derivedPath as string)).rejects.toMatchObject({ kind: 'not_found' });
    expect(await kit.artifacts.stat('1/r1/artifacts/model/model.onnx')).toBeDefined();
    kit.endpoints.length = 0;
    await kit.registry.deleteModel('flights');
    await expect(kit.registry.getModel('flights')).rejects.toMatchObject({ kind: 'not_found' });
  });

  it('lineage runs from the dataset to the endpoint', async () => {
    const graph = await kit.views.lineage('flights');
    expect(graph.nodes.map(({ id }) => id).sort()).toEqual(['dataset:flights:d1', 'endpoint:live', 'run:r1', 'version:flights/1', 'version:flights/2']);
    expect(graph.edges).toEqual(
      expect.arrayContaining([
        { from: 'dataset:flights:d1', to: 'run:r1', label: 'training' },
        { from: 'run:r1', to: 'version:flights/2', label: 'made' },
        { from: 'version:flights/2', to: 'endpoint:live', label: 'serves' },
      ]),
    );
  });

  it('the lineage of a run holds the versions of every model that were made of it, and of no other run', async () => {
    await kit.registry.createModel({ name: 'other' });
    await kit.registry.createVersion({ model: 'other', source: 'runs:/r1/model' });
    kit.runs.set('r2', {});
    await kit.registry.createVersion({ model: 'other', source: 'models:/flights/1', runId: 'r2' });
    const graph = await kit.views.runLineage('r1');
    expect(graph.nodes.map(({ id }) => id).sort()).toEqual(
      ['dataset:flights:d1', 'endpoint:live', 'run:r1', 'version:flights/1', 'version:flights/2', 'version:other/1'].sort(),
    );
    expect(graph.edges).toHaveLength(5);
    expect((await kit.views.runLineage('r2')).nodes.map(({ id }) => id)).toEqual(['run:r2', 'version:other/2']);
    await expect(kit.views.runLineage('none')).rejects.toMatchObject({ kind: 'not_found', code: 'run_not_found' });
  });
});

it('odd names are names like others', async () => {
  for (const name of ['Модель 1', "O'Brien", 'a%b_c', '日本', '__proto__', 'constructor', 'x'.repeat(256)]) {
    await kit.registry.createModel({ name });
    expect((await kit.registry.getModel(name)).name).toBe(name);
    expect((await kit.registry.listModels(name.slice(0, 3), 10)).items.map((m) => m.name)).toContain(name);
    await expect(kit.registry.lookup(name, { alias: 'constructor' })).rejects.toMatchObject({ code: 'alias_not_found' });
  }
});

it('a symbolic link in a package is not followed', async () => {
  await kit.putModel('1/r1/artifacts/model', 'linear', ['model.onnx']);
  writeFileSync(join(kit.root, 'secret.onnx'), model);
  const { symlinkSync } = await import('node:fs');
  symlinkSync(join(kit.root, 'secret.onnx'), join(kit.root, 'artifacts/1/r1/artifacts/model/model.onnx'));
  expect(await kit.registry.createVersion({ model: 'flights', source: 'runs:/r1/model' })).toMatchObject({ servable: false });
});
