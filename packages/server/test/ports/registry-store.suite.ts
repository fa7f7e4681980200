import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseFilter, parseOrderBy } from '../../src/kernel/filter/index.ts';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import { modelVersionGrammar, registeredModelGrammar } from '../../src/registry/filter-grammars.ts';
import type { GateReport, NewVersion, PackageFacts, RegistryStore } from '../../src/registry/index.ts';

const facts: PackageFacts = {
  storagePath: '1/r/artifacts/model',
  flavors: ['onnx', 'python_function'],
  signature: { inputs: [{ name: 'x', type: 'double' }], outputs: [{ name: 'y', type: 'FP32', shape: [-1, 2] }] },
  tensors: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }], outputs: [] },
  graphPath: '1/r/artifacts/model/model.onnx',
  graphSha256: 'ab'.repeat(32),
  externalFiles: ['weights.bin'],
  derivedPath: null,
  metadata: { label: 'late', __proto__x: 'y' },
  sizeBytes: 123,
  servable: true,
  statusMessage: '',
};
const noFacts: PackageFacts = {
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
  statusMessage: 'No files.',
};
const version = (model: string, change: Partial<NewVersion> = {}): NewVersion => ({
  model,
  source: 'runs:/r/model',
  storageUri: 'mlflow-artifacts:/1/r/artifacts/model',
  runId: 'r',
  runLink: null,
  loggedModelId: null,
  description: '',
  tags: {},
  facts,
  ...change,
});
const report = (model: string, n: number, change: Partial<GateReport> = {}): GateReport => ({
  id: `report-${model}-${n}-${change.createdAt ?? 1}`,
  model,
  version: n,
  alias: 'champion',
  passed: true,
  forced: false,
  reason: null,
  createdAt: 1,
  results: [{ gate: 'metric', passed: true, message: 'fine', measured: 'NaN', bound: 0.5 }],
  ...change,
});

/** What every registry store does. `events` are those that were delivered so far. */
export function registryStoreSuite(name: string, make: () => Promise<{ store: RegistryStore; events: OutboxEvent[]; close(): Promise<void> }>): void {
  describe(`the registry store ${name}`, () => {
    let store: RegistryStore;
    let events: OutboxEvent[];
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, events, close } = await make());
    });
    afterEach(async () => close());

    const models = (filter = '', order: string[] = [], limit = 100, pageToken?: string) =>
      store.searchModels({
        conditions: parseFilter(filter, registeredModelGrammar),
        orderBy: parseOrderBy(order, registeredModelGrammar),
        limit,
        pageToken,
        excludePrompts: true,
      });
    const versions = (filter = '', order: string[] = [], limit = 100, pageToken?: string) =>
      store.searchVersions({
        conditions: parseFilter(filter, modelVersionGrammar),
        orderBy: parseOrderBy(order, modelVersionGrammar),
        limit,
        pageToken,
        excludePrompts: true,
      });

    it('a model is created once, and found by its exact name', async () => {
      const made = await store.createModel({ name: 'Модель ☸', description: 'd', tags: { a: '1', __proto__: 'not a prototype' } as never });
      expect(made).toMatchObject({ name: 'Модель ☸', description: 'd', tags: { a: '1' }, aliases: {}, latestVersion: null, versionCount: 0, gatePolicy: null });
      expect(await store.findModel('Модель ☸')).toEqual(made);
      expect(await store.findModel('модель ☸')).toBeUndefined();
      await expect(store.createModel({ name: 'Модель ☸', description: '', tags: {} })).rejects.toMatchObject({
        kind: 'conflict',
        code: 'registered_model_exists',
      });
    });

    it('versions are numbered from 1, and a number is never used twice', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      expect((await store.createVersion(version('m'))).version).toBe(1);
      expect((await store.createVersion(version('m'))).version).toBe(2);
      await store.deleteVersion('m', 2);
      expect((await store.createVersion(version('m'))).version).toBe(3);
      expect(await store.findModel('m')).toMatchObject({ latestVersion: 3, versionCount: 2 });
      expect(events).toContainEqual({ type: 'model-version.created', payload: { model: 'm', version: 3, runId: 'r' } });
      expect(events).toContainEqual({ type: 'model-version.deleted', payload: { model: 'm', version: 2 } });
    });

    it('concurrent registrations get a number each', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      const made = await Promise.all(Array.from({ length: 32 }, () => store.createVersion(version('m'))));
      expect(new Set(made.map((v) => v.version)).size).toBe(32);
    });

    it('a version keeps everything that was said and found', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      const made = await store.createVersion(
        version('m', { runLink: 'http://x', loggedModelId: 'm-1', description: 'first', tags: { k: 'v'.repeat(100_000) } }),
      );
      expect(made).toMatchObject({
        ...facts,
        model: 'm',
        version: 1,
        stage: 'None',
        loggedModelId: 'm-1',
        runLink: 'http://x',
        description: 'first',
        aliases: [],
      });
      expect(await store.findVersion('m', 1)).toEqual(made);
      expect(await store.findVersion('m', 2)).toBeUndefined();
      expect(await store.findVersion('n', 1)).toBeUndefined();
    });

    it('what is not there is said so by name', async () => {
      await expect(store.createVersion(version('none'))).rejects.toMatchObject({
        kind: 'not_found',
        code: 'registered_model_not_found',
        message: 'Registered Model with name=none not found',
      });
      await store.createModel({ name: 'm', description: '', tags: {} });
      await expect(store.updateVersion('m', 7, { description: '' })).rejects.toMatchObject({
        kind: 'not_found',
        code: 'model_version_not_found',
        message: 'Model Version (name=m, version=7) not found',
      });
      await expect(store.deleteModel('none')).rejects.toMatchObject({ code: 'registered_model_not_found' });
      await expect(store.moveAlias({ model: 'm', alias: 'a', version: 7, expected: null, report: null })).rejects.toMatchObject({
        code: 'model_version_not_found',
      });
    });

    it('descriptions and tags change; a tag that is not there is deleted without a word', async () => {
      await store.createModel({ name: 'm', description: 'old', tags: { a: '1', b: '2' } });
      expect(await store.updateModel('m', { description: 'new', tags: { b: '3' } })).toMatchObject({ description: 'new', tags: { a: '1', b: '3' } });
      await store.deleteModelTag('m', 'a');
      await store.deleteModelTag('m', 'a');
      expect((await store.findModel('m'))?.tags).toEqual({ b: '3' });
      await store.createVersion(version('m', { facts: noFacts, tags: { a: '1' } }));
      expect(await store.updateVersion('m', 1, { description: 'd', tags: { b: '2' }, facts })).toMatchObject({
        description: 'd',
        tags: { a: '1', b: '2' },
        servable: true,
      });
      await store.deleteVersionTag('m', 1, 'a');
      expect((await store.findVersion('m', 1))?.tags).toEqual({ b: '2' });
    });

    it('a renamed model keeps its versions and aliases; a taken name is refused', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      await store.createModel({ name: 'taken', description: '', tags: {} });
      await store.createVersion(version('m'));
      await store.moveAlias({ model: 'm', alias: 'champion', version: 1, expected: null, report: null });
      await expect(store.renameModel('m', 'taken')).rejects.toMatchObject({ code: 'registered_model_exists' });
      expect(await store.renameModel('m', 'n')).toMatchObject({ name: 'n', aliases: { champion: 1 }, versionCount: 1 });
      expect(await store.findVersion('n', 1)).toMatchObject({ model: 'n', aliases: ['champion'] });
      expect(await store.findModel('m')).toBeUndefined();
    });

    it('an alias moves with its report and its event, and only from where the caller saw it', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      await store.createVersion(version('m'));
      await store.createVersion(version('m'));
      await store.moveAlias({ model: 'm', alias: 'champion', version: 1, expected: null, report: null });
      await store.moveAlias({ model: 'm', alias: 'champion', version: 2, expected: 1, report: report('m', 2, { forced: true, reason: 'because' }) });
      expect(await store.findModel('m')).toMatchObject({ aliases: { champion: 2 } });
      expect(await store.gateReports('m', 2, 10)).toEqual([report('m', 2, { forced: true, reason: 'because' })]);
      expect(events.filter((e) => e.type === 'alias.moved')).toEqual([
        { type: 'alias.moved', payload: { model: 'm', alias: 'champion', version: 1, previous: null, forced: false } },
        { type: 'alias.moved', payload: { model: 'm', alias: 'champion', version: 2, previous: 1, forced: true } },
      ]);
      await expect(store.moveAlias({ model: 'm', alias: 'champion', version: 1, expected: 1, report: report('m', 1) })).rejects.toMatchObject({
        kind: 'conflict',
        code: 'alias_moved_meanwhile',
      });
      expect(await store.gateReports('m', 1, 10)).toEqual([]);
      await store.moveAlias({ model: 'm', alias: 'champion', version: 2, expected: 2, report: null });
      expect(events.filter((e) => e.type === 'alias.moved')).toHaveLength(2);
      // From wherever it is.
      await store.moveAlias({ model: 'm', alias: 'champion', version: 1, expected: undefined, report: null });
      await store.moveAlias({ model: 'm', alias: 'champion', version: 2, expected: undefined, report: null });
      expect(events.filter((e) => e.type === 'alias.moved')).toHaveLength(4);
      await store.deleteAlias('m', 'champion');
      await store.deleteAlias('m', 'champion');
      expect(events.at(-1)).toEqual({ type: 'alias.moved', payload: { model: 'm', alias: 'champion', version: null, previous: 2, forced: false } });
    });

    it('deleting a version takes its aliases along; deleting a model takes everything', async () => {
      await store.createModel({ name: 'm', description: '', tags: { t: '1' } });
      await store.createVersion(version('m', { tags: { t: '1' } }));
      await store.createVersion(version('m'));
      await store.moveAlias({ model: 'm', alias: 'a', version: 1, expected: null, report: report('m', 1) });
      await store.moveAlias({ model: 'm', alias: 'b', version: 2, expected: null, report: null });
      expect(await store.deleteVersion('m', 1)).toMatchObject({ version: 1, aliases: ['a'] });
      expect(await store.findModel('m')).toMatchObject({ aliases: { b: 2 }, versionCount: 1 });
      expect(await store.gateReports('m', 1, 10)).toEqual([]);
      expect((await store.deleteModel('m')).map((v) => v.version)).toEqual([2]);
      await store.createModel({ name: 'm', description: '', tags: {} });
      expect(await store.findModel('m')).toMatchObject({ tags: {}, aliases: {}, versionCount: 0 });
      expect((await store.createVersion(version('m'))).version).toBe(1);
    });

    it('stages: moving archives the others when asked, and the latest of each is found', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      for (let i = 0; i < 4; i++) await store.createVersion(version('m'));
      await store.transitionStage('m', 1, 'Production', false);
      expect((await store.transitionStage('m', 2, 'Production', true)).stage).toBe('Production');
      expect((await store.findVersion('m', 1))?.stage).toBe('Archived');
      const seen = async (stages: ('None' | 'Production' | 'Archived')[]) =>
        ((await store.latestVersions(['m', 'gone'], stages)).m ?? []).map((v) => [v.version, v.stage]);
      expect(await seen([])).toEqual([
        [1, 'Archived'],
        [2, 'Production'],
        [4, 'None'],
      ]);
      expect(await seen(['Production'])).toEqual([[2, 'Production']]);
    });

    it('models are searched by name and tags, ordered, and paged by key while others are inserted', async () => {
      for (const [name, team] of [
        ['alpha', 'red'],
        ['Beta', 'blue'],
        ['gamma*', 'red'],
        ['delta', 'blue'],
      ] as const)
        await store.createModel({ name, description: '', tags: { team } });
      await store.createModel({ name: 'prompt', description: '', tags: { 'mlflow.prompt.is_prompt': 'true' } });
      const names = async (filter: string, order: string[] = []) => (await models(filter, order)).items.map((m) => m.name);
      expect(await names('')).toEqual(['Beta', 'alpha', 'delta', 'gamma*']);
      expect(await names("name = 'alpha'")).toEqual(['alpha']);
      expect(await names("name LIKE '%ta'")).toEqual(['Beta', 'delta']);
      expect(await names("name LIKE 'b%'")).toEqual([]);
      expect(await names("name ILIKE 'b%'")).toEqual(['Beta']);
      await store.createModel({ name: 'Ärger', description: '', tags: {} });
      for (const pattern of ['Ärger', 'ärger', 'ÄRG%']) expect(await names(`name ILIKE '${pattern}'`)).toEqual(['Ärger']);
      expect(await names("name LIKE 'ä%'")).toEqual([]);
      await store.deleteModel('Ärger');
      expect(await names("name LIKE '%*'")).toEqual(['gamma*']);
      expect(await names("name LIKE '*'")).toEqual([]);
      expect(await names("tags.team = 'red' and name != 'alpha'")).toEqual(['gamma*']);
      expect(await names("tags.team != 'red'")).toEqual(['Beta', 'delta']);
      expect(await names("tags.other = 'x'")).toEqual([]);
      expect(await names('', ['name DESC'])).toEqual(['gamma*', 'delta', 'alpha', 'Beta']);
      const first = await models('', [], 2);
      expect(first.items.map((m) => m.name)).toEqual(['Beta', 'alpha']);
      await store.createModel({ name: 'Aaa', description: '', tags: {} });
      const second = await models('', [], 2, first.nextPageToken);
      expect(second.items.map((m) => m.name)).toEqual(['delta', 'gamma*']);
      expect(second.nextPageToken).toBeUndefined();
      await expect(models('', ['last_updated_timestamp DESC'], 2, first.nextPageToken)).rejects.toMatchObject({ code: 'invalid_page_token' });
      expect(
        (
          await store.searchModels({
            conditions: parseFilter("tags.`mlflow.prompt.is_prompt` = 'true'", registeredModelGrammar),
            orderBy: [],
            limit: 10,
            excludePrompts: false,
          })
        ).items.map((m) => m.name),
      ).toEqual(['prompt']);
    });

    it('versions are searched by name, number, run, source and tags', async () => {
      for (const name of ['a', 'b']) await store.createModel({ name, description: '', tags: {} });
      await store.createVersion(version('a', { runId: 'r1', tags: { ok: 'yes' } }));
      await store.createVersion(version('a', { runId: 'r2', source: 'models:/m-1' }));
      await store.createVersion(version('b', { runId: null }));
      const found = async (filter: string, order: string[] = ['name ASC', 'version_number ASC']) =>
        (await versions(filter, order)).items.map((v) => `${v.model}${v.version}`);
      expect(await found('')).toEqual(['a1', 'a2', 'b1']);
      expect(await found("name='a'")).toEqual(['a1', 'a2']);
      expect(await found("name='a' and version_number > 1")).toEqual(['a2']);
      expect(await found("run_id IN ('r1', 'r2')")).toEqual(['a1', 'a2']);
      expect(await found("run_id = 'r1'")).toEqual(['a1']);
      expect(await found("source_path LIKE 'models:%'")).toEqual(['a2']);
      expect(await found("tags.ok = 'yes'")).toEqual(['a1']);
      expect(await found('', ['version_number DESC', 'name DESC'])).toEqual(['a2', 'b1', 'a1']);
      const seen: string[] = [];
      let token: string | undefined;
      do {
        const page = await versions('', [], 1, token);
        seen.push(...page.items.map((v) => `${v.model}${v.version}`));
        token = page.nextPageToken;
      } while (token !== undefined);
      expect(seen.sort()).toEqual(['a1', 'a2', 'b1']);
    });

    it('versions without a run come before all others, or with DESC behind them, page by page', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      for (const runId of ['b', null, 'A', null, 'a']) await store.createVersion(version('m', { runId }));
      for (const [ascending, expected] of [
        [true, [4, 2, 3, 5, 1]],
        [false, [1, 5, 3, 4, 2]],
      ] as const) {
        const seen: number[] = [];
        let token: string | undefined;
        do {
          const page = await store.searchVersions({
            conditions: [],
            orderBy: [{ kind: 'attribute', key: 'run_id', ascending }],
            limit: 2,
            pageToken: token,
            excludePrompts: true,
          });
          seen.push(...page.items.map((v) => v.version));
          token = page.nextPageToken;
        } while (token !== undefined);
        expect(seen).toEqual(expected);
      }
    });

    it('the newest report of each version is found', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      await store.createVersion(version('m'));
      await store.createVersion(version('m'));
      await store.addGateReport(report('m', 1, { createdAt: 1 }));
      await store.addGateReport(report('m', 1, { createdAt: 3, passed: false }));
      await store.addGateReport(report('m', 1, { createdAt: 2 }));
      expect((await store.gateReports('m', 1, 2)).map((r) => r.createdAt)).toEqual([3, 2]);
      expect(await store.lastGateReports('m', [1, 2])).toEqual({ 1: report('m', 1, { createdAt: 3, passed: false }) });
    });

    it('knows which folders are still in use', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      await store.createVersion(version('m', { facts: { ...facts, storagePath: 'registry/a' } }));
      expect(await store.usedPaths(['registry/a', 'registry/b'])).toEqual(['registry/a']);
      expect(await store.usedPaths([])).toEqual([]);
    });

    it('a gate policy is kept and removed', async () => {
      await store.createModel({ name: 'm', description: '', tags: {} });
      const policy = { aliases: ['champion'], metric: { key: 'auc', direction: 'higher' as const, margin: 0.01 } };
      await store.setGatePolicy('m', policy);
      expect((await store.findModel('m'))?.gatePolicy).toEqual(policy);
      await store.setGatePolicy('m', null);
      expect((await store.findModel('m'))?.gatePolicy).toBeNull();
      await expect(store.setGatePolicy('x', null)).rejects.toMatchObject({ code: 'registered_model_not_found' });
    });
  });
}
