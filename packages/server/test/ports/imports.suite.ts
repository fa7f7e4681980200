import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewVersion, RegistryImports, RegistryStore, VersionImport } from '../../src/registry/index.ts';
import {
  createTrackingImports,
  createTrackingService,
  type RunImport,
  type SeriesColumns,
  type TrackingImports,
  type TrackingImportService,
  type TrackingService,
  type TrackingStore,
} from '../../src/tracking/index.ts';
import type { ImportMarks } from '../../src/transfer/index.ts';

export interface ImportSubject {
  tracking: TrackingStore & TrackingImports;
  registry: RegistryStore & RegistryImports;
  marks: ImportMarks;
  close(): Promise<void>;
}

type Run = Omit<RunImport, 'points'> & { series: SeriesColumns[] };
const T = 1_700_000_000_000;
let last = 0;
const newId = (): string => `${++last}`.padStart(32, 'a');

const facts: NewVersion['facts'] = {
  storagePath: null,
  flavors: [],
  signature: null,
  tensors: null,
  graphPath: null,
  graphSha256: null,
  externalFiles: [],
  derivedPath: null,
  metadata: {},
  sizeBytes: null,
  servable: false,
  statusMessage: 'nothing',
};

/** What the stores must do for things that come from elsewhere, on whatever database. */
export function importsSuite(name: string, open: () => Promise<ImportSubject>): void {
  describe(`imports ${name}`, () => {
    let subject: ImportSubject;
    let imports: TrackingImportService;
    let tracking: TrackingService;
    beforeAll(async () => {
      subject = await open();
      imports = createTrackingImports(subject.tracking);
      tracking = createTrackingService({ store: subject.tracking });
    });
    afterAll(() => subject.close());

    const experiment = (id: string, title: string, more = {}) => ({
      source: `${id}@${T}`,
      id,
      name: title,
      createdAt: T,
      updatedAt: T + 1,
      lifecycleStage: 'active' as const,
      artifactLocation: null,
      tags: [{ key: 'team', value: 'a' }],
      ...more,
    });
    const run = (more: Partial<Run> = {}): Run => ({
      runId: newId(),
      experimentId: '0',
      name: 'calm-bay-1',
      userId: 'ann',
      status: 'FINISHED',
      startTime: T,
      endTime: T + 5000,
      lifecycleStage: 'active',
      deletedAt: null,
      artifactUri: null,
      params: [{ key: 'lr', value: '0.1' }],
      tags: [
        { key: 'mlflow.runName', value: 'calm-bay-1' },
        { key: 'owner', value: 'ann' },
      ],
      datasets: [],
      modelInputs: [],
      modelOutputs: [],
      series: [],
      digest: null,
      ...more,
    });
    const series = (key: string, steps: number[], more: Partial<SeriesColumns> = {}): SeriesColumns => ({
      key,
      modelId: null,
      datasetName: null,
      datasetDigest: null,
      steps,
      timestamps: steps.map((step) => T + step),
      values: steps.map((step) => step / 2),
      ...more,
    });
    const tagsOf = async (runId: string) => {
      const { tags } = await tracking.getRun(runId);
      return Object.fromEntries(Array.from({ length: tags.length / 2 }, (_, i) => [tags[2 * i], tags[2 * i + 1]]));
    };

    it('an experiment keeps its id, and those made here later come after it', async () => {
      const imported = await imports.importExperiment(experiment('4711', 'kept'));
      expect(imported).toEqual({ outcome: 'created', kept: [], experimentId: '4711' });
      expect(await tracking.getExperiment('4711')).toMatchObject({ name: 'kept', createdAt: T, updatedAt: T + 1, artifactLocation: 'mlflow-artifacts:/4711' });
      expect(Number((await tracking.createExperiment({ name: 'after kept' })).id)).toBeGreaterThan(4711);
      expect(await imports.importExperiment(experiment('4711', 'kept'))).toEqual({ outcome: 'unchanged', kept: [], experimentId: '4711' });
    });

    it('an experiment whose id is taken, or is none here, gets another; one whose name is here goes into that', async () => {
      const other = await imports.importExperiment(experiment('4711', 'other', { source: 'other@1' }));
      expect(other.outcome).toBe('created');
      expect(other.experimentId).not.toBe('4711');
      const huge = await imports.importExperiment(experiment('438726148921489215', 'huge'));
      expect(Number(huge.experimentId)).toBeLessThan(1e9);
      const { id } = await tracking.createExperiment({ name: 'mine', tags: [{ key: 'team', value: 'mine' }] });
      const mine = experiment('77', 'mine', {
        tags: [
          { key: 'team', value: 'a' },
          { key: 'new', value: 'b' },
        ],
      });
      expect(await imports.importExperiment(mine)).toEqual({ outcome: 'updated', kept: ['tag:team'], experimentId: id });
      expect((await tracking.getExperiment(id)).tags).toEqual([
        { key: 'new', value: 'b' },
        { key: 'team', value: 'mine' },
      ]);
      expect(await imports.importExperiment(mine)).toEqual({ outcome: 'unchanged', kept: [], experimentId: id });
      // Known by where it comes from, whatever it is called now.
      expect(await imports.importExperiment({ ...mine, name: 'renamed there' })).toMatchObject({ outcome: 'updated', experimentId: id });
    });

    it('an experiment that was deleted there is deleted here, and one of the same name that was deleted here is in the way', async () => {
      const gone = await imports.importExperiment(experiment('81', 'gone there', { lifecycleStage: 'deleted' }));
      expect(await tracking.getExperiment(String(gone.experimentId))).toMatchObject({ lifecycleStage: 'deleted' });
      const late = await imports.importRun(run({ experimentId: String(gone.experimentId) }));
      expect(late.outcome).toBe('created');
      const { id } = await tracking.createExperiment({ name: 'gone here' });
      await tracking.setExperimentStage(id, 'deleted');
      await expect(imports.importExperiment(experiment('82', 'gone here'))).rejects.toMatchObject({ code: 'experiment_deleted_here' });
    });

    it('a run comes in whole, and again without a change', async () => {
      const dataset = { name: 'd', digest: 'x1', sourceType: 'code', source: '{}', schema: null, profile: null };
      const one = run({
        datasets: [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }],
        modelInputs: ['m-in'],
        modelOutputs: [{ modelId: 'm-out', step: 3 }],
        params: [
          { key: 'lr', value: '0.1' },
          { key: `\\' % _ "; --`, value: 'ä'.repeat(9000) },
        ],
        series: [series('loss', [0, 1, 2], { values: [Number.NaN, Number.POSITIVE_INFINITY, -1] }), series('acc', [5], { modelId: 'm-out' })],
        digest: 'one',
      });
      expect(await imports.importRun(one)).toMatchObject({
        outcome: 'created',
        kept: [],
        points: 4,
        artifactUri: `mlflow-artifacts:/0/${one.runId}/artifacts`,
      });
      const stored = await tracking.getRun(one.runId);
      expect(stored).toMatchObject({ name: 'calm-bay-1', userId: 'ann', status: 'FINISHED', startTime: T, endTime: T + 5000, modelInputs: ['m-in'] });
      expect(stored.modelOutputs).toEqual([{ modelId: 'm-out', step: 3 }]);
      expect(stored.datasets).toEqual([{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }]);
      expect([...(await tracking.metricHistory(one.runId, 'loss', null)).values]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, -1]);
      expect(await imports.importRun(one)).toMatchObject({ outcome: 'unchanged', kept: [], points: 0 });
      expect(await subject.marks.known('run', [one.runId, 'nobody'])).toEqual([{ id: one.runId, target: null, digest: 'one' }]);
    });

    it('what is new there is added, what was changed here stays, and what was changed on both sides is told', async () => {
      const one = run({ status: 'RUNNING', endTime: null, tags: [...run().tags, { key: 'both', value: '0' }, { key: 'gone', value: '0' }] });
      await imports.importRun(one);
      await tracking.updateRun(one.runId, {
        name: 'mine',
        tags: [
          { key: 'owner', value: 'me' },
          { key: 'both', value: 'here' },
        ],
      });
      const later = {
        ...one,
        status: 'FINISHED' as const,
        endTime: T + 9,
        params: [...one.params, { key: 'late', value: '1' }],
        tags: [
          { key: 'mlflow.runName', value: 'calm-bay-1' },
          { key: 'owner', value: 'ann' },
          { key: 'both', value: 'there' },
          { key: 'fresh', value: '1' },
        ],
        series: [series('m', [0, 1])],
      };
      expect(await imports.importRun(later)).toMatchObject({ outcome: 'updated', kept: ['tag:both'], points: 2 });
      expect(await tracking.getRun(one.runId)).toMatchObject({
        name: 'mine',
        status: 'FINISHED',
        endTime: T + 9,
        params: expect.arrayContaining(['late', '1']),
      });
      expect(await tagsOf(one.runId)).toEqual({ 'mlflow.runName': 'mine', owner: 'me', both: 'here', fresh: '1' });
      expect(await imports.importRun(later)).toMatchObject({ outcome: 'unchanged', kept: [] });
    });

    it('a run of the same id that did not come by an import is left alone, and what cannot be kept is refused', async () => {
      const { runId } = await tracking.createRun({ experimentId: '0' });
      await expect(imports.importRun(run({ runId }))).rejects.toMatchObject({ kind: 'conflict', code: 'run_not_imported' });
      await expect(imports.importRun(run({ experimentId: '99999' }))).rejects.toMatchObject({ kind: 'not_found' });
      await expect(
        imports.importRun(
          run({
            params: [
              { key: 'a', value: '1' },
              { key: 'a', value: '2' },
            ],
          }),
        ),
      ).rejects.toMatchObject({ code: 'duplicate_key' });
    });

    it('many that come at once share their new names', async () => {
      const { experimentId } = await imports.importExperiment(experiment('90', 'at once'));
      const dataset = { name: 'shared', digest: 'x1', sourceType: 'code', source: '{}', schema: null, profile: null };
      const runs = Array.from({ length: 50 }, (_, i) =>
        run({
          experimentId: String(experimentId),
          params: Array.from({ length: 5 }, (__, n) => ({ key: `p${n}`, value: String(i) })),
          series: [series('m', [i]), series(`m${i % 7}`, [1])],
          datasets: [{ dataset, tags: [] }],
        }),
      );
      const results = await Promise.all(runs.map((one) => imports.importRun(one)));
      expect(results.map(({ outcome, points }) => [outcome, points])).toEqual(runs.map(() => ['created', 2]));
      const found = await tracking.getRuns(runs.map(({ runId }) => runId));
      for (const [i, one] of found.entries()) {
        expect(one.params.length).toBe(10);
        expect(one.metrics.keys.toSorted()).toEqual(['m', `m${i % 7}`]);
        expect(one.datasets).toHaveLength(1);
      }
    });

    it('points are added to a deleted run, once', async () => {
      const one = run({ lifecycleStage: 'deleted', deletedAt: T + 1 });
      await imports.importRun(one);
      const batch = [
        series(
          'm',
          Array.from({ length: 5000 }, (_, i) => i),
        ),
      ];
      expect(await imports.importPoints(one.runId, batch)).toBe(5000);
      expect(await imports.importPoints(one.runId, [...batch, series('n', [1])])).toBe(1);
      expect((await tracking.getRun(one.runId)).lifecycleStage).toBe('deleted');
      expect((await tracking.metricHistory(one.runId, 'm', null)).steps.length).toBe(5000);
    });

    it('all of a run or nothing', async () => {
      const one = run({
        series: [series('m', [0])],
        datasets: [{ dataset: { name: 'x'.repeat(600), digest: '1', sourceType: '', source: '', schema: null, profile: null }, tags: [] }],
      });
      await expect(imports.importRun(one)).rejects.toThrow('name');
      await expect(tracking.getRun(one.runId)).rejects.toMatchObject({ code: 'run_not_found' });
    });

    const loggedModel = () => ({
      modelId: `m-${newId()}`,
      experimentId: '0',
      name: 'net',
      modelType: 'classifier',
      sourceRunId: 'r',
      status: 'LOGGED_MODEL_UPLOAD_FAILED' as const,
      statusMessage: 'disk full',
      createdAt: T,
      updatedAt: T + 1,
      lifecycleStage: 'active' as const,
      artifactUri: 's3://bucket/m',
      params: [{ key: 'depth', value: '3' }],
      tags: [{ key: 'a', value: 'b' }],
    });

    it('files are in another store, or in the place that this server gives: gc would remove what is at any other', async () => {
      for (const artifactUri of ['mlflow-artifacts:/0', 'mlflow-artifacts://host/0', 'file:///tmp/x', '/tmp/x', 'C:/x', '']) {
        const one = run({ artifactUri });
        await expect(imports.importRun(one)).rejects.toMatchObject({ kind: 'invalid', code: 'invalid_artifact_uri' });
        await expect(tracking.getRun(one.runId)).rejects.toMatchObject({ code: 'run_not_found' });
        await expect(imports.importLoggedModel({ ...loggedModel(), artifactUri })).rejects.toMatchObject({ code: 'invalid_artifact_uri' });
      }
      expect(await imports.importRun(run({ artifactUri: 's3://bucket/r' }))).toMatchObject({ artifactUri: 's3://bucket/r' });
      await expect(imports.importExperiment(experiment('90', 'in registry', { artifactLocation: 'mlflow-artifacts:/registry' }))).rejects.toMatchObject({
        code: 'invalid_artifact_location',
      });
    });

    it('a logged model keeps its id, times and state', async () => {
      const model = loggedModel();
      expect(await imports.importLoggedModel(model)).toEqual({ outcome: 'created', kept: [], artifactUri: 's3://bucket/m' });
      expect(await tracking.getLoggedModel(model.modelId)).toMatchObject({
        name: 'net',
        status: model.status,
        statusMessage: 'disk full',
        createdAt: T,
        updatedAt: T + 1,
      });
      await tracking.setLoggedModelTags(model.modelId, [{ key: 'a', value: 'here' }]);
      const later = {
        ...model,
        status: 'LOGGED_MODEL_READY' as const,
        statusMessage: null,
        lifecycleStage: 'deleted' as const,
        params: [{ key: 'depth', value: '4' }],
        tags: [],
      };
      expect(await imports.importLoggedModel(later)).toMatchObject({ outcome: 'updated', kept: ['tag:a', 'param:depth'] });
      expect(await tracking.getLoggedModel(model.modelId, { allowDeleted: true })).toMatchObject({
        status: 'LOGGED_MODEL_READY',
        statusMessage: null,
        tags: [{ key: 'a', value: 'here' }],
      });
    });

    const version = (model: string, number: number, more: Partial<VersionImport> = {}): VersionImport => ({
      model,
      version: number,
      source: 's3://elsewhere',
      storageUri: 's3://elsewhere',
      runId: null,
      runLink: null,
      loggedModelId: null,
      description: '',
      tags: {},
      facts,
      stage: 'None',
      createdAt: T,
      updatedAt: T + 1,
      ...more,
    });
    const model = (title: string, more = {}) => ({ name: title, description: 'd', createdAt: T, updatedAt: T + 1, lastVersion: 0, tags: { a: 'b' }, ...more });

    it('versions keep numbers, gaps, times and stages, and the next one comes after all', async () => {
      const { registry } = subject;
      expect(await registry.importModel(model('gappy', { lastVersion: 9 }))).toEqual({ outcome: 'created', kept: [] });
      for (const n of [5, 2])
        expect(await registry.importVersion(version('gappy', n, { stage: 'Production', tags: { n: String(n) } }))).toEqual({ outcome: 'created', kept: [] });
      expect(await registry.findVersion('gappy', 5)).toMatchObject({ stage: 'Production', createdAt: T, updatedAt: T + 1, tags: { n: '5' } });
      expect(await registry.findModel('gappy')).toMatchObject({ createdAt: T, updatedAt: T + 1, versionCount: 2, latestVersion: 5, tags: { a: 'b' } });
      expect((await registry.createVersion(version('gappy', 0))).version).toBe(10);
      expect(await registry.importVersion(version('gappy', 5, { stage: 'Archived', tags: { n: '5' } }))).toEqual({ outcome: 'updated', kept: [] });
      expect(await registry.importVersion(version('gappy', 5, { stage: 'Archived', tags: { n: '5' } }))).toEqual({ outcome: 'unchanged', kept: [] });
      await expect(registry.importVersion(version('gappy', 10))).rejects.toMatchObject({ code: 'version_not_imported' });
      await registry.deleteVersion('gappy', 2);
      expect((await registry.importVersion(version('gappy', 2))).outcome).toBe('removed');
      expect(await registry.importedVersion('gappy', 2)).toEqual({ withoutFiles: false });
      expect(await registry.importedVersion('gappy', 3)).toBeUndefined();
    });

    it('a version whose files come later takes them; one that has them keeps them', async () => {
      const { registry } = subject;
      await registry.importModel(model('late'));
      await registry.importVersion(version('late', 1));
      expect(await registry.importedVersion('late', 1)).toEqual({ withoutFiles: true });
      const storageUri = 'mlflow-artifacts:/1/r/artifacts/m';
      const there = { ...facts, storagePath: '1/r/artifacts/m', servable: true, statusMessage: '', flavors: ['onnx'] };
      expect(await registry.importVersion(version('late', 1, { source: storageUri, storageUri, runId: 'r', facts: there }))).toEqual({
        outcome: 'updated',
        kept: [],
      });
      const has = { source: storageUri, storageUri, runId: 'r', storagePath: '1/r/artifacts/m', servable: true, flavors: ['onnx'] };
      expect(await registry.findVersion('late', 1)).toMatchObject(has);
      expect(await registry.importedVersion('late', 1)).toEqual({ withoutFiles: false });
      expect(await registry.importVersion(version('late', 1))).toEqual({ outcome: 'unchanged', kept: [] });
      expect(await registry.findVersion('late', 1)).toMatchObject(has);
    });

    it('an alias that could not be set is tried again, and said each time', async () => {
      const { registry } = subject;
      await registry.importModel(model('waiting'));
      for (const n of [1, 2]) await registry.importVersion(version('waiting', n));
      const at = (champion: number) => registry.importAliases('waiting', [{ alias: 'champion', version: champion }]);
      const none = { set: [], removed: [], kept: [], guarded: [] };
      for (let time = 0; time < 2; time++) expect(await at(3)).toEqual({ ...none, kept: ['champion'] });
      await registry.importVersion(version('waiting', 3));
      expect(await at(3)).toEqual({ ...none, set: ['champion'] });
      await registry.setGatePolicy('waiting', { aliases: ['champion'] });
      for (let time = 0; time < 2; time++) expect(await at(2)).toEqual({ ...none, guarded: ['champion'] });
      await registry.setGatePolicy('waiting', { aliases: [] });
      expect(await at(2)).toEqual({ ...none, set: ['champion'] });
      expect(await at(2)).toEqual(none);
      expect((await registry.findModel('waiting'))?.aliases).toEqual({ champion: 2 });
    });

    it('aliases are set as they were, follow, and stay where they were moved or are guarded', async () => {
      const { registry } = subject;
      await registry.importModel(model('aliased'));
      for (const n of [1, 2, 3]) await registry.importVersion(version('aliased', n));
      const at = (aliases: Record<string, number>) =>
        registry.importAliases(
          'aliased',
          Object.entries(aliases).map(([alias, number]) => ({ alias, version: number })),
        );
      const none = { set: [], removed: [], kept: [], guarded: [] };
      expect(await at({ champion: 1, old: 1, mine: 1 })).toEqual({ ...none, set: ['champion', 'old', 'mine'] });
      await registry.moveAlias({ model: 'aliased', alias: 'mine', version: 2, expected: 1, report: null });
      // A model that comes in again must not forget what is known of its aliases.
      await registry.importModel(model('aliased', { description: 'later' }));
      expect(await at({ champion: 2, mine: 3 })).toEqual({ ...none, set: ['champion'], removed: ['old'], kept: ['mine'] });
      expect(await at({ champion: 2, mine: 3 })).toEqual(none);
      expect((await registry.findModel('aliased'))?.aliases).toEqual({ champion: 2, mine: 2 });
      await registry.setGatePolicy('aliased', { aliases: ['champion'] });
      expect(await at({ champion: 3, mine: 3 })).toEqual({ ...none, guarded: ['champion'] });
      expect((await registry.findModel('aliased'))?.aliases).toEqual({ champion: 2, mine: 2 });
    });

    it('a registered model that did not come by an import is left alone; one that was renamed here is not brought back', async () => {
      const { registry } = subject;
      await registry.createModel({ name: 'ours', description: '', tags: {} });
      await expect(registry.importModel(model('ours'))).rejects.toMatchObject({ kind: 'conflict', code: 'model_not_imported' });
      await registry.importModel(model('theirs'));
      await registry.renameModel('theirs', 'renamed');
      expect(await registry.importModel(model('theirs'))).toEqual({ outcome: 'removed', kept: [] });
    });

    it('what came in whole is noted', async () => {
      const { marks } = subject;
      const one = run();
      await imports.importRun(one);
      expect(await marks.known('run', [one.runId])).toEqual([{ id: one.runId, target: null, digest: null }]);
      await marks.finish('run', [
        { id: one.runId, digest: 'whole' },
        { id: 'nobody', digest: 'x' },
      ]);
      expect(await marks.known('run', [one.runId, 'nobody'])).toEqual([{ id: one.runId, target: null, digest: 'whole' }]);
    });
  });
}
