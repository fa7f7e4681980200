import { invalid } from '../../kernel/index.ts';
import { checkBatchSize, type DatasetInput, LIMITS, type MetricInput, missingValue, type RunStatus, type TrackingService } from '../../tracking/index.ts';
import { pageOf, viewOf } from './experiments.routes.ts';
import { Fields } from './fields.ts';
import { runInfoJson, runJson } from './messages.ts';
import type { MlflowRoute } from './routes.ts';

const STATUSES: Record<number, RunStatus> = { 1: 'RUNNING', 2: 'SCHEDULED', 3: 'FINISHED', 4: 'FAILED', 5: 'KILLED' };

/** `runs/*`. */
export function runRoutes(tracking: TrackingService): MlflowRoute[] {
  const post = (path: string, handler: MlflowRoute['handler']): MlflowRoute => ({ method: 'POST', path: `runs/${path}`, handler });
  return [
    post('create', async (fields) => {
      const run = await tracking.createRun({
        experimentId: fields.string('experiment_id') || '0',
        name: fields.string('run_name'),
        userId: fields.string('user_id'),
        startTime: fields.int('start_time'),
        tags: fields.keyValues('tags'),
      });
      return { run: runJson(run) };
    }),
    post('update', async (fields) => {
      const run = await tracking.updateRun(fields.runId(), {
        status: fields.oneOf('status', STATUSES),
        endTime: fields.int('end_time'),
        name: fields.string('run_name'),
      });
      return { run_info: runInfoJson(run) };
    }),
    { method: 'GET', path: 'runs/get', handler: async (fields) => ({ run: runJson(await tracking.getRun(fields.runId())) }) },
    post('delete', async (fields) => {
      await tracking.updateRun(fields.runId(), { lifecycleStage: 'deleted' });
      return {};
    }),
    post('restore', async (fields) => {
      await tracking.updateRun(fields.runId(), { lifecycleStage: 'active' });
      return {};
    }),
    post('search', async (fields) => {
      const { runs, nextPageToken } = await tracking.searchRuns({
        experimentIds: fields.strings('experiment_ids') ?? [],
        ...pageOf(fields, 1000, LIMITS.runs),
        view: viewOf(fields, 'run_view_type'),
      });
      // Run by run: the objects of a thousand runs at once are a burden for the garbage collector.
      const texts = runs.map((run) => JSON.stringify(runJson(run)));
      const rest = nextPageToken === undefined ? '' : `,"next_page_token":${JSON.stringify(nextPageToken)}`;
      return `{"runs":[${texts.join(',')}]${rest}}`;
    }),
    post('log-metric', async (fields) => {
      await tracking.logMetric(fields.runId(), readMetric(fields));
      return {};
    }),
    post('log-parameter', async (fields) => {
      await tracking.logParam(fields.runId(), { key: fields.requiredString('key'), value: fields.scalarText('value') });
      return {};
    }),
    post('set-tag', async (fields) => {
      await tracking.setTag(fields.runId(), { key: fields.requiredString('key'), value: fields.scalarText('value') });
      return {};
    }),
    post('delete-tag', async (fields) => {
      await tracking.deleteTag(fields.runId(), fields.requiredString('key'));
      return {};
    }),
    post('log-batch', async (fields) => {
      const runId = fields.runId();
      const metrics = readMetrics(fields.bodyList('metrics'));
      const params = fields.keyValues('params');
      const tags = fields.keyValues('tags');
      checkBatchSize(metrics.length, params.length, tags.length);
      await tracking.logBatch(runId, { metrics, params, tags }, { long: 'cut' });
      return {};
    }),
    post('log-inputs', async (fields) => {
      await tracking.logInputs(
        fields.runId(),
        fields.messages('datasets').map(readDataset),
        fields.messages('models').map((model) => model.requiredString('model_id')),
      );
      return {};
    }),
    post('outputs', async (fields) => {
      if (!fields.has('models')) throw missingValue('models');
      const models = fields.messages('models').map((model) => ({ modelId: model.requiredString('model_id'), step: model.int('step') ?? 0 }));
      await tracking.logOutputs(fields.runId(), models);
      return {};
    }),
    post('log-model', async (fields) => {
      const runId = fields.runId();
      await tracking.recordLoggedModel(runId, checkModelJson(fields.requiredString('model_json')));
      return {};
    }),
  ];
}

/** The plain case (numbers as numbers) without a reader an entry, since batches are large; every other spelling the general way. */
function readMetrics(list: unknown[]): MetricInput[] {
  return list.map((entry, i) => {
    if (typeof entry === 'object' && entry !== null) {
      const { key, value, timestamp, step, model_id, dataset_name, dataset_digest } = entry as Record<string, unknown>;
      if (
        typeof key === 'string' &&
        key !== '' &&
        typeof value === 'number' &&
        Number.isSafeInteger(timestamp) &&
        (step === undefined || Number.isSafeInteger(step)) &&
        model_id === undefined &&
        dataset_name === undefined &&
        dataset_digest === undefined
      )
        return { key, value, timestamp: timestamp as number, step: (step as number | undefined) ?? 0 };
    }
    return readMetric(new Fields(entry, `metrics[${i}]`));
  });
}

const orNull = (text: string | undefined): string | null => text || null;
function readMetric(fields: Fields): MetricInput {
  return {
    key: fields.requiredString('key'),
    value: fields.requiredNumber('value'),
    timestamp: fields.requiredInt('timestamp'),
    step: fields.int('step') ?? 0,
    modelId: orNull(fields.string('model_id')),
    datasetName: orNull(fields.string('dataset_name')),
    datasetDigest: orNull(fields.string('dataset_digest')),
  };
}

function readDataset(fields: Fields): DatasetInput {
  const dataset = fields.message('dataset');
  if (dataset === undefined) throw missingValue('dataset');
  return {
    tags: fields.keyValues('tags'),
    dataset: {
      name: dataset.requiredString('name'),
      digest: dataset.requiredString('digest'),
      sourceType: dataset.string('source_type') ?? '',
      source: dataset.string('source') ?? '',
      schema: dataset.string('schema') ?? null,
      profile: dataset.string('profile') ?? null,
    },
  };
}

/** The text of a model's info without what is too large for a tag. */
function checkModelJson(text: string): string {
  let model: unknown;
  try {
    model = JSON.parse(text);
  } catch (cause) {
    throw invalid('invalid_parameter', `Malformed model info. \n ${text.slice(0, 1000)} \n is not a valid JSON.`, { cause });
  }
  const fields = typeof model === 'object' && model !== null ? (model as Record<string, unknown>) : {};
  const missing = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'].filter((name) => !(name in fields));
  if (missing.length > 0) throw invalid('invalid_parameter', `Model json is missing mandatory fields: {${missing.map((name) => `'${name}'`).join(', ')}}`);
  const { signature: _signature, saved_input_example_info: _example, ...rest } = fields;
  return JSON.stringify(rest);
}
