import { type Clock, invalid, newId } from '../kernel/index.ts';
import { randomName } from './names.ts';
import { type MetricInput, toPointBatch } from './point-batch.ts';
import { keyToToken, type RunSearchRequest, toRunQuery } from './search.ts';
import type { TrackingStore } from './tracking.port.ts';
import { checkedEntries, type EntryInputs } from './entries.ts';
import type { DatasetInput, ForkInput, KeyValue, LifecycleStage, ModelOutput, RunColumns, RunForks, RunInfo, RunRecord, RunStatus } from './types.ts';
import * as check from './validation.ts';

const RUN_NAME = 'mlflow.runName';
/** Runs whose places are known before they are read. */
const MOST_OUTLINED = 500_000;
const NOTE = 'mlflow.note.content';
const LOGGED_MODELS = 'mlflow.log-model.history';

export function runUseCases(store: TrackingStore, now: Clock) {
  return {
    async createRun(input: {
      experimentId: string;
      name?: string | undefined;
      userId?: string | undefined;
      startTime?: number | undefined;
      tags?: KeyValue[];
      params?: KeyValue[];
      /** Chosen by the client, which may ask again with it. */
      runId?: string | undefined;
      fork?: ForkInput | undefined;
    }): Promise<RunRecord> {
      const tags = input.tags ?? [];
      const params = input.params ?? [];
      check.checkBatchTexts({ params, tags: [] });
      // Tags that a run begins with, its name too, are kept whole, as MLflow keeps them.
      for (const [i, { key }] of tags.entries()) check.checkFirstTagKey(key, `tags[${i}].key`);
      const tagged = tags.findLast(({ key }) => key === RUN_NAME)?.value;
      if (input.name && tagged && input.name !== tagged)
        throw invalid(
          'run_name_conflict',
          `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${input.name}', mlflow.runName='${tagged}').`,
        );
      const name = input.name || tagged || randomName();
      const { runId, fork } = input;
      if (fork !== undefined) check.checkStep(fork.step, 'fork.step');
      return store.createRun({
        ...(runId === undefined ? { runId: newId() } : { runId, repeated: true }),
        ...(fork === undefined ? {} : { fork }),
        experimentId: input.experimentId,
        name,
        userId: check.cut(input.userId ?? '', 256),
        startTime: input.startTime || now(),
        tags,
        params,
      });
    },
    getRun: (runId: string, columns?: RunColumns): Promise<RunRecord> => store.getRun(runId, columns),
    getRuns: (runIds: string[]): Promise<RunRecord[]> => store.getRuns(runIds),
    async updateRun(
      runId: string,
      change: {
        name?: string | undefined;
        status?: RunStatus | undefined;
        endTime?: number | undefined;
        lifecycleStage?: LifecycleStage | undefined;
        tags?: KeyValue[];
        note?: string | undefined;
        /** For a run that is no fork yet. */
        fork?: ForkInput | undefined;
      },
    ): Promise<RunInfo> {
      for (const [i, tag] of (change.tags ?? []).entries()) check.checkTag(tag, `tags[${i}]`);
      const { name, status, endTime, lifecycleStage, note } = change;
      // A note is a tag that may be longer than others: MLflow's own interface keeps it there.
      const tags = note === undefined ? change.tags : [...(change.tags ?? []), { key: NOTE, value: note }];
      const rest = {
        ...(name === undefined ? {} : { name }),
        ...(status === undefined ? {} : { status }),
        ...(endTime === undefined ? {} : { endTime }),
        ...(lifecycleStage === undefined ? {} : { lifecycleStage }),
        ...(tags === undefined ? {} : { tags }),
      };
      if (change.fork === undefined) return store.updateRun(runId, rest);
      check.checkStep(change.fork.step, 'fork.step');
      return store.forkRun(runId, change.fork, rest);
    },
    getForks: (runId: string): Promise<RunForks> => store.getForks(runId),
    deleteTag: (runId: string, key: string): Promise<void> => store.deleteTag(runId, key),
    /**
     * Logs metrics, params, tags and entries of other series, all or nothing. Sizes are the front-end's to limit (`checkBatchSize`). Values that are too long are
     * refused, or cut with `long: 'cut'`.
     */
    async logBatch(
      runId: string,
      batch: { metrics?: MetricInput[]; params?: KeyValue[]; tags?: KeyValue[]; entries?: EntryInputs },
      { long = 'refuse' }: { long?: 'refuse' | 'cut' } = {},
    ): Promise<void> {
      check.checkRunId(runId);
      const { metrics = [] } = batch;
      const params = long === 'cut' ? (batch.params ?? []).map(check.cutParam) : (batch.params ?? []);
      const tags = long === 'cut' ? (batch.tags ?? []).map(check.cutTag) : (batch.tags ?? []);
      const checked = new Set<string>();
      for (const [i, point] of metrics.entries()) {
        const path = `metrics[${i}]`;
        // A batch has many points of few keys.
        if (!checked.has(point.key)) check.checkMetricKey(point.key, path);
        checked.add(point.key);
        check.checkPoint(point, path);
      }
      check.checkBatchTexts({ params, tags });
      const entries = batch.entries === undefined ? [] : checkedEntries(batch.entries);
      await store.logBatch({ runId, points: toPointBatch(metrics), params, tags, ...(entries.length === 0 ? {} : { entries }) });
    },
    async logMetric(runId: string, metric: MetricInput): Promise<void> {
      check.checkRunId(runId);
      check.checkMetricKey(metric.key, '');
      check.checkPoint(metric, '');
      await store.logBatch({ runId, points: toPointBatch([metric]), params: [], tags: [] });
    },
    /** A value that is too long is cut. */
    async logParam(runId: string, param: KeyValue): Promise<void> {
      const cut = check.cutParam(param);
      check.checkParam(cut);
      await store.logBatch({ runId, points: null, params: [cut], tags: [] });
    },
    /** A value that is too long is cut. */
    async setTag(runId: string, tag: KeyValue): Promise<void> {
      const cut = check.cutTag(tag);
      check.checkTag(cut);
      await store.logBatch({ runId, points: null, params: [], tags: [cut] });
    },
    /** MLflow's legacy record of a logged model: a JSON list in a tag. */
    async recordLoggedModel(runId: string, modelJson: string): Promise<void> {
      await store.appendToListTag(runId, LOGGED_MODELS, modelJson, 1_000_000);
    },
    async logInputs(runId: string, datasets: DatasetInput[], modelIds: string[]): Promise<void> {
      check.checkRunId(runId);
      for (const dataset of datasets) check.checkDatasetInput(dataset);
      await store.logInputs(runId, datasets, modelIds);
    },
    logOutputs: (runId: string, models: ModelOutput[]): Promise<void> => store.logOutputs(runId, models),
    async searchRuns(request: RunSearchRequest): Promise<{ runs: RunRecord[]; nextPageToken: string | undefined }> {
      const { runs, next } = await store.searchRuns(toRunQuery(request));
      return { runs, nextPageToken: keyToToken(next) };
    },
    async outlineRuns({ pageSize, ...request }: Omit<RunSearchRequest, 'limit'> & { pageSize: number }) {
      const { pages, ...outline } = await store.outlineRuns(toRunQuery({ ...request, limit: MOST_OUTLINED }), pageSize);
      return { ...outline, pages: pages.map(({ after, firstRunId }) => ({ pageToken: keyToToken(after) as string, firstRunId })) };
    },
    searchDatasets: (experimentIds: string[]) => store.searchDatasets(experimentIds),
  };
}
