import type { TrackingImports, TrackingStore } from '../../tracking/index.ts';
import type { StoreClass, StoreContext } from './engine.ts';
import { importPoints, importRun } from './imports/runs.ts';
import { importExperiment, importLoggedModel } from './imports/tracking.ts';
import { countEntryKeys, listEntryKeys } from './tracking/entry-keys.ts';
import { readEntries, sampleEntries } from './tracking/entry-read.ts';
import * as experiments from './tracking/experiments.ts';
import { forksOf, partsOf } from './tracking/forks.ts';
import * as inputs from './tracking/inputs.ts';
import { searchLoggedModels } from './tracking/logged-model-search.ts';
import * as models from './tracking/logged-models.ts';
import * as history from './tracking/metric-history.ts';
import { groupRuns } from './tracking/run-groups.ts';
import { countMetricKeys, listMetricKeys } from './tracking/metric-keys.ts';
import { outlineRuns, searchRuns } from './tracking/run-search.ts';
import * as runs from './tracking/runs.ts';
import * as series from './tracking/series-read.ts';

type Store = TrackingStore & TrackingImports;
type Args<M extends keyof Store> = Parameters<Store[M]>;

const ofExperiment = (id: string) => `experiment ${id}`;
const ofRun = (id: string) => `run ${id}`;
const ofModel = (id: string) => `model ${id}`;

/** The tracking store over SQL. */
export class SqlTrackingStore implements Store {
  static readonly reads: ReadonlySet<string> = new Set<keyof TrackingStore>([
    'getExperiment',
    'findExperiment',
    'searchExperiments',
    'listExperiments',
    'listColumns',
    'getRun',
    'getRuns',
    'findRuns',
    'searchRuns',
    'outlineRuns',
    'groupRuns',
    'searchDatasets',
    'metricHistory',
    'sampleMetric',
    'readSeries',
    'listMetricKeys',
    'countMetricKeys',
    'listEntryKeys',
    'countEntryKeys',
    'readEntries',
    'sampleEntries',
    'getForks',
    'getLoggedModel',
    'getLoggedModels',
    'searchLoggedModels',
  ]);
  static readonly scopes: StoreClass['scopes'] = {
    // Names and ids are unique, and the experiment of a new run is only read.
    createExperiment: () => null,
    createRun: () => null,
    createLoggedModel: () => null,
    setExperimentTag: ofExperiment,
    deleteExperimentTag: ofExperiment,
    updateRun: ofRun,
    deleteTag: ofRun,
    logBatch: ({ runId }: Args<'logBatch'>[0]) => ofRun(runId),
    appendToListTag: ofRun,
    logInputs: ofRun,
    logOutputs: ofRun,
    finalizeLoggedModel: ofModel,
    setLoggedModelTags: ofModel,
    deleteLoggedModelTag: ofModel,
    noteModelVersion: ofModel,
    logLoggedModelParams: ofModel,
    importRun: ({ runId }: Args<'importRun'>[0]) => ofRun(runId),
    importPoints: ofRun,
    importLoggedModel: ({ modelId }: Args<'importLoggedModel'>[0]) => ofModel(modelId),
  } satisfies Partial<Record<keyof Store, unknown>>;
  readonly #ctx: StoreContext;
  constructor(ctx: StoreContext) {
    this.#ctx = ctx;
  }

  createExperiment(...[input]: Args<'createExperiment'>) {
    return experiments.createExperiment(this.#ctx.db, input, this.#ctx.now());
  }
  async getExperiment(id: string) {
    const [summary] = await experiments.summarizeExperiments(this.#ctx.db, [await experiments.loadExperiment(this.#ctx.db, id)]);
    return summary as NonNullable<typeof summary>;
  }
  async findExperiment(name: string) {
    const row = await this.#ctx.db.selectFrom('experiments').selectAll().where('name', '=', name).executeTakeFirst();
    return row === undefined ? undefined : experiments.toRecord(this.#ctx.db, row);
  }
  updateExperiment(...[id, change]: Args<'updateExperiment'>) {
    return experiments.updateExperiment(this.#ctx.db, id, change, this.#ctx.now());
  }
  setExperimentTag(...[id, tag]: Args<'setExperimentTag'>) {
    return experiments.setExperimentTag(this.#ctx.db, id, tag);
  }
  deleteExperimentTag(...[id, key]: Args<'deleteExperimentTag'>) {
    return experiments.deleteExperimentTag(this.#ctx.db, id, key);
  }
  searchExperiments(...[query]: Args<'searchExperiments'>) {
    return experiments.searchExperiments(this.#ctx.db, query);
  }
  listExperiments(...[query]: Args<'listExperiments'>) {
    return experiments.listExperiments(this.#ctx.db, query);
  }
  listColumns(...[id, q, limit]: Args<'listColumns'>) {
    return experiments.listColumns(this.#ctx.db, id, q, limit);
  }

  createRun(...[run]: Args<'createRun'>) {
    return runs.createRun(this.#ctx.db, run);
  }
  getRun(...[runId, columns]: Args<'getRun'>) {
    return runs.getRun(this.#ctx.db, runId, columns);
  }
  getRuns(...[runIds]: Args<'getRuns'>) {
    return runs.getRuns(this.#ctx.db, runIds);
  }
  findRuns(...[runIds, columns]: Args<'findRuns'>) {
    return runs.findRuns(this.#ctx.db, runIds, columns);
  }
  updateRun(...[runId, change]: Args<'updateRun'>) {
    return runs.updateRun(this.#ctx, runId, change);
  }
  forkRun(...[runId, fork, change]: Args<'forkRun'>) {
    return runs.forkRun(this.#ctx, runId, fork, change);
  }
  async getForks(runId: string) {
    return forksOf(this.#ctx.db, await runs.loadRun(this.#ctx.db, runId));
  }
  deleteTag(...[runId, key]: Args<'deleteTag'>) {
    return runs.deleteTag(this.#ctx.db, runId, key);
  }
  logBatch(...[batch]: Args<'logBatch'>) {
    return runs.logBatch(this.#ctx.db, batch);
  }
  appendToListTag(...[runId, key, item, maxLength]: Args<'appendToListTag'>) {
    return runs.appendToListTag(this.#ctx.db, runId, key, item, maxLength);
  }
  async logInputs(...[runId, datasets, modelIds]: Args<'logInputs'>) {
    const run = await runs.loadActiveRun(this.#ctx.db, runId);
    await inputs.writeDatasets(this.#ctx.db, run, datasets);
    await inputs.writeModels(
      this.#ctx.db,
      run.rid,
      0,
      modelIds.map((modelId) => ({ modelId, step: 0 })),
    );
  }
  async logOutputs(...[runId, outputs]: Args<'logOutputs'>) {
    const run = await runs.loadActiveRun(this.#ctx.db, runId);
    await inputs.writeModels(this.#ctx.db, run.rid, 1, outputs);
  }
  searchRuns(...[query]: Args<'searchRuns'>) {
    return searchRuns(this.#ctx.db, query);
  }
  outlineRuns(...[query, pageSize]: Args<'outlineRuns'>) {
    return outlineRuns(this.#ctx.db, query, pageSize);
  }
  groupRuns(...[query]: Args<'groupRuns'>) {
    return groupRuns(this.#ctx.db, query);
  }
  searchDatasets(...[experimentIds]: Args<'searchDatasets'>) {
    return inputs.searchDatasets(this.#ctx.db, experimentIds.map(experiments.parseExperimentId));
  }

  async metricHistory(...[runId, key, limit, after]: Args<'metricHistory'>) {
    return history.metricHistory(this.#ctx.db, await runs.loadRun(this.#ctx.db, runId), key, limit, after);
  }
  async sampleMetric(...[runId, key, limit, range]: Args<'sampleMetric'>) {
    return history.sampleMetric(this.#ctx.db, await runs.loadRun(this.#ctx.db, runId), key, limit, range);
  }
  async readSeries(...[request]: Args<'readSeries'>) {
    const found = [];
    for (const runId of request.runIds) {
      const parts = await this.#parts(runId);
      for (const key of request.keys) {
        const buckets = await series.readBuckets(this.#ctx.db, parts, key, request.maxPoints, request);
        if (buckets !== undefined) found.push(buckets);
      }
    }
    return found;
  }
  async listMetricKeys(...[runId, query]: Args<'listMetricKeys'>) {
    return listMetricKeys(this.#ctx.db, await this.#parts(runId), query);
  }
  async countMetricKeys(runId: string) {
    return countMetricKeys(this.#ctx.db, await this.#parts(runId));
  }
  async listEntryKeys(...[runId, query]: Args<'listEntryKeys'>) {
    return listEntryKeys(this.#ctx.db, await this.#parts(runId), query);
  }
  async countEntryKeys(runId: string) {
    return countEntryKeys(this.#ctx.db, await this.#parts(runId));
  }
  async readEntries(...[runId, query]: Args<'readEntries'>) {
    return readEntries(this.#ctx.db, await this.#parts(runId), query);
  }
  async sampleEntries(...[runId, query]: Args<'sampleEntries'>) {
    return sampleEntries(this.#ctx.db, await this.#parts(runId), query);
  }
  /** The run and those that it was forked from. */
  async #parts(runId: string) {
    return partsOf(this.#ctx.db, await runs.loadRun(this.#ctx.db, runId));
  }

  createLoggedModel(...[model]: Args<'createLoggedModel'>) {
    return models.createLoggedModel(this.#ctx.db, model, this.#ctx.now());
  }
  getLoggedModel(...[modelId, allowDeleted]: Args<'getLoggedModel'>) {
    return models.getLoggedModel(this.#ctx.db, modelId, allowDeleted);
  }
  getLoggedModels(...[modelIds]: Args<'getLoggedModels'>) {
    return models.getLoggedModels(this.#ctx.db, modelIds);
  }
  finalizeLoggedModel(...[modelId, status]: Args<'finalizeLoggedModel'>) {
    return models.finalizeLoggedModel(this.#ctx.db, modelId, status, this.#ctx.now());
  }
  deleteLoggedModel(...[modelId]: Args<'deleteLoggedModel'>) {
    return models.deleteLoggedModel(this.#ctx.db, modelId, this.#ctx.now());
  }
  setLoggedModelTags(...[modelId, tags]: Args<'setLoggedModelTags'>) {
    return models.setLoggedModelTags(this.#ctx.db, modelId, tags);
  }
  deleteLoggedModelTag(...[modelId, key]: Args<'deleteLoggedModelTag'>) {
    return models.deleteLoggedModelTag(this.#ctx.db, modelId, key);
  }
  noteModelVersion(...[modelId, model, version]: Args<'noteModelVersion'>) {
    return models.noteModelVersion(this.#ctx.db, modelId, model, version);
  }
  logLoggedModelParams(...[modelId, params]: Args<'logLoggedModelParams'>) {
    return models.logLoggedModelParams(this.#ctx.db, modelId, params);
  }
  searchLoggedModels(...[query]: Args<'searchLoggedModels'>) {
    return searchLoggedModels(this.#ctx.db, query);
  }

  importExperiment(...[experiment]: Args<'importExperiment'>) {
    return importExperiment(this.#ctx.db, experiment);
  }
  importRun(...[run]: Args<'importRun'>) {
    return importRun(this.#ctx.db, run);
  }
  importPoints(...[runId, points]: Args<'importPoints'>) {
    return importPoints(this.#ctx.db, runId, points);
  }
  importLoggedModel(...[model]: Args<'importLoggedModel'>) {
    return importLoggedModel(this.#ctx.db, model);
  }
}
