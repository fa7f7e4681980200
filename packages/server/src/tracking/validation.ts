import { type BinnacleError, invalid, isLonger, shown } from '../kernel/index.ts';
import type { DatasetInput, KeyValue, LogBatch } from './types.ts';

/** MLflow's limits: what its users' tools count on. */
export const LIMITS = {
  batchMetrics: 1000,
  batchParams: 100,
  batchTags: 100,
  batchAll: 1000,
  key: 250,
  paramValue: 6000,
  runTagValue: 8000,
  experimentName: 500,
  experimentTagValue: 20_000,
  datasetName: 500,
  datasetDigest: 36,
  datasetSource: 65_535,
  datasetSchema: 1_048_575,
  datasetProfile: 16_777_215,
  inputTagKey: 255,
  inputTagValue: 500,
  runs: 50_000,
  loggedModels: 50_000,
  searchExperiments: 50_000,
} as const;

/** What MLflow ends with when a request is not of the shape that its API describes. */
export const SEE_DOCS = 'See the API docs for more information about request parameters.';
/** A parameter's value is wrong; `path` names it (`metrics[3].key`), `why` is a sentence. In MLflow's words, as is the next. */
export const invalidValue = (path: string, value: unknown, why?: string): BinnacleError =>
  invalid('invalid_parameter', `Invalid value ${shown(value, 300)} for parameter '${path}' supplied${why === undefined ? '.' : `: ${why}`}`);
/** A parameter that must be there is not. */
export const missingValue = (path: string): BinnacleError => invalid('missing_parameter', `Missing value for required parameter '${path}'. ${SEE_DOCS}`);
const tooLong = (path: string, limit: number): BinnacleError => invalid('value_too_long', `'${path}' exceeds the maximum length of ${limit} characters`);

const at = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** The first `limit` characters; a surrogate pair is one. */
export const cut = (text: string, limit: number): string =>
  isLonger(text, limit)
    ? Array.from(text.slice(0, 2 * limit))
        .slice(0, limit)
        .join('')
    : text;

/** As MLflow's server does with what comes one by one or in a batch (MLFLOW_TRUNCATE_LONG_VALUES, on unless it is switched off). */
export const cutParam = ({ key, value }: KeyValue): KeyValue => ({ key, value: cut(value, LIMITS.paramValue) });
export const cutTag = ({ key, value }: KeyValue): KeyValue => ({ key, value: cut(value, LIMITS.runTagValue) });

/** Tags that a run begins with may have any name, as in MLflow. */
export function checkFirstTagKey(key: string, path: string): void {
  if (key === '') throw missingValue(path);
  if (!key.isWellFormed()) throw invalidValue(path, key, 'it is not valid Unicode.');
  if (isLonger(key, LIMITS.key)) throw tooLong(path, LIMITS.key);
}

/** What names of metrics, params and tags may be: letters and digits of any script, and _ - . space : / */
const KEY = /^[/\p{L}\p{N}_.\- :\p{M}]*$/u;

/** Throws unless `key` may name a metric, param or tag; "'Param key' exceeds …" is what MLflow calls a long one of a param. */
export function checkKey(key: string, path: string, long = path): void {
  if (key === '') throw missingValue(path);
  if (!KEY.test(key))
    throw invalidValue(path, key, 'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).');
  checkAsPath(key, path);
  if (isLonger(key, LIMITS.key)) throw tooLong(long, LIMITS.key);
}

/** Throws unless a name, taken for a path, would be the path that it says. */
export function checkAsPath(name: string, path: string): void {
  const resolved = normalizePath(name);
  if (resolved !== name || resolved === '.' || resolved.startsWith('..') || resolved.startsWith('/'))
    throw invalidValue(
      path,
      name,
      `Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${resolved}'`,
    );
}

/** As a POSIX path, without touching any file. */
function normalizePath(name: string): string {
  const absolute = name.startsWith('/');
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  return `${absolute ? '/' : ''}${parts.join('/')}` || '.';
}

export function checkParam({ key, value }: KeyValue, path = ''): void {
  checkKey(key, at(path, 'key'), 'Param key');
  if (isLonger(value, LIMITS.paramValue)) throw tooLong('Param value', LIMITS.paramValue);
}

export function checkTag({ key, value }: KeyValue, path = ''): void {
  checkKey(key, at(path, 'key'));
  if (isLonger(value, LIMITS.runTagValue)) throw tooLong(at(path, 'value'), LIMITS.runTagValue);
}

export function checkExperimentTag({ key, value }: KeyValue): void {
  checkKey(key, 'key');
  if (isLonger(value, LIMITS.experimentTagValue)) throw tooLong('value', LIMITS.experimentTagValue);
}

export function checkExperimentName(name: string): void {
  if (name === '') throw invalid('invalid_experiment_name', "Invalid experiment name: ''");
  if (!name.isWellFormed()) throw invalid('invalid_experiment_name', 'Invalid experiment name: it is not valid Unicode.');
  if (isLonger(name, LIMITS.experimentName)) throw tooLong('name', LIMITS.experimentName);
}

const RUN_ID = /^[a-zA-Z0-9][\w-]{0,63}$/;
export function checkRunId(runId: string, path = 'run_id'): void {
  if (!RUN_ID.test(runId)) throw invalidValue(path, runId);
}

/** A metric's key, which MLflow calls its name. */
export function checkMetricKey(key: string, path: string): void {
  if (key === '') throw missingValue(at(path, 'key'));
  checkKey(key, at(path, 'name'), 'Metric name');
}

/** A point's step and time, its key having been checked; throws in MLflow's words. Steps may have fractions: MLflow's protocol, which has none, lets none in. */
export function checkPoint({ key, step, timestamp, value }: { key: string; step: number; timestamp: number; value: number }, path: string): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0 && Math.abs(step) <= Number.MAX_SAFE_INTEGER) return;
  const metric = `metric '${key}' (value=${Number.isInteger(value) ? value.toFixed(1) : value})`;
  if (!Number.isSafeInteger(timestamp) || timestamp < 0)
    throw invalidValue(at(path, 'timestamp'), timestamp, `${metric}. Timestamp must be a nonnegative long (64-bit integer) `);
  throw invalidValue(at(path, 'step'), step, `${metric}. Step must be a number from -${Number.MAX_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}.`);
}

/** A step outside of MLflow's protocol: any number that a database keeps, fractions too. */
export const isStep = (step: unknown): boolean => typeof step === 'number' && Math.abs(step) <= Number.MAX_SAFE_INTEGER;
export function checkStep(step: number, path: string): void {
  if (!isStep(step)) throw invalidValue(path, step, `A step is a number from -${Number.MAX_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}; fractions are fine.`);
}

/** Params and tags of a batch, and that no param comes twice. */
export function checkBatchTexts({ params, tags }: Pick<LogBatch, 'params' | 'tags'>): void {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const [i, param] of params.entries()) {
    checkParam(param, `params[${i}]`);
    if (seen.has(param.key)) twice.add(param.key);
    seen.add(param.key);
  }
  if (twice.size > 0)
    throw invalid(
      'duplicate_params',
      `Duplicate parameter keys have been submitted: [${[...twice].map((key) => `'${key}'`).join(', ')}]. Please ensure the request contains only one param value per param key.`,
    );
  for (const [i, tag] of tags.entries()) checkTag(tag, `tags[${i}]`);
}

/** The limits of MLflow's own log-batch; the native API has wider ones. */
export function checkBatchSize(metrics: number, params: number, tags: number): void {
  const check = (what: string, limit: number, length: number) => {
    if (length > limit)
      throw invalid(
        'batch_too_large',
        `A batch logging request can contain at most ${limit} ${what}. Got ${length} ${what}. Please split up ${what} across multiple requests and try again.`,
      );
  };
  check('metrics', LIMITS.batchMetrics, metrics);
  check('params', LIMITS.batchParams, params);
  check('tags', LIMITS.batchTags, tags);
  check('metrics, params, and tags', LIMITS.batchAll, metrics + params + tags);
}

export function checkDatasetInput({ dataset, tags }: DatasetInput): void {
  const limit = (name: string, value: string | null, max: number) => {
    if (value !== null && isLonger(value, max)) throw tooLong(name, max);
  };
  if (dataset.name === '') throw invalid('invalid_dataset', 'Dataset name cannot be None');
  if (dataset.digest === '') throw invalid('invalid_dataset', 'Dataset digest cannot be None');
  limit('name', dataset.name, LIMITS.datasetName);
  limit('digest', dataset.digest, LIMITS.datasetDigest);
  limit('source', dataset.source, LIMITS.datasetSource);
  limit('schema', dataset.schema, LIMITS.datasetSchema);
  limit('profile', dataset.profile, LIMITS.datasetProfile);
  for (const { key, value } of tags) {
    limit('key', key, LIMITS.inputTagKey);
    limit('value', value, LIMITS.inputTagValue);
  }
}

export function checkLoggedModelName(name: string): void {
  if (name === '' || /[/:.%"']/.test(name))
    throw invalid(
      'invalid_model_name',
      `Invalid model name ('${name}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
    );
  if (isLonger(name, 500)) throw tooLong('name', 500);
}

/** Tags and params of logged models: any text, of any length, under a key of at most 255 characters. */
export function checkModelTexts(entries: KeyValue[], what: 'tag' | 'param'): void {
  for (const { key } of entries) {
    if (key === '') throw missingValue('key');
    if (isLonger(key, 255)) throw tooLong(`${what} key`, 255);
  }
}
