import { invalid, isLonger } from '../kernel/index.ts';
import { checkAsPath, checkKey } from '../tracking/index.ts';
import { type Stage, STAGES } from './registry-store.port.ts';

const MAX_NAME = 256;
const MAX_ALIAS = 255;
const MAX_TAG_VALUE = 100_000;
const MAX_DESCRIPTION = 100_000;

// The phrases are MLflow's: its users and their tools match on them.
const bad = (message: string) => invalid('invalid_parameter', message);

export function checkModelName(name: string, parameter = 'name'): void {
  if (name.trim() === '') throw bad(`Missing value for required parameter '${parameter}'.`);
  if (/[/:]/.test(name)) throw bad(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  checkAsPath(name, parameter);
  if (name.includes('\0'))
    throw bad(`Invalid value ${JSON.stringify(name)} for parameter '${parameter}' supplied: a name must also be usable as a folder's name.`);
  if (!name.isWellFormed()) throw bad(`Invalid value for parameter '${parameter}' supplied: it is not valid Unicode.`);
  if (isLonger(name, MAX_NAME)) throw bad(`'${parameter}' exceeds the maximum length of ${MAX_NAME} characters`);
}

export function checkTags(tags: Record<string, string>): void {
  for (const [key, value] of Object.entries(tags)) {
    checkTagKey(key);
    if (typeof value !== 'string') throw bad('Tag value cannot be None');
    if (isLonger(value, MAX_TAG_VALUE))
      throw bad(
        key === 'mlflow.prompt.text'
          ? `Prompt text exceeds max length of ${MAX_TAG_VALUE} characters.`
          : `'value' exceeds the maximum length of ${MAX_TAG_VALUE} characters`,
      );
  }
}

export function checkTagKey(key: string): void {
  if (key === '') throw bad("Missing value for required parameter 'key'. A key name must be provided.");
  checkKey(key, 'key');
}

export function checkAliasName(alias: string): void {
  if (alias === '') throw bad('Registered model alias name cannot be empty.');
  if (!/^[\p{L}\p{N}_-]+$/u.test(alias)) throw bad(`Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`);
  if (isLonger(alias, MAX_ALIAS)) throw bad(`'Registered model alias name' exceeds the maximum length of ${MAX_ALIAS} characters`);
}

/** For setting one: `latest` and `v1` mean versions already. */
export function checkNewAlias(alias: string): void {
  checkAliasName(alias);
  if (alias.toLowerCase() === 'latest') throw bad("'latest' alias name (case insensitive) is reserved.");
  if (/^[vV]\d+$/.test(alias)) throw bad(`Version alias name '${alias}' is reserved.`);
}

export function checkDescription(description: string): void {
  if (isLonger(description, MAX_DESCRIPTION)) throw bad(`'description' exceeds the maximum length of ${MAX_DESCRIPTION} characters`);
}

/** Stages are named in any case. */
export function canonicalStage(stage: string): Stage {
  const found = STAGES.find((known) => known.toLowerCase() === stage.toLowerCase());
  if (found === undefined) throw bad(`Invalid Model Version stage: ${stage}. Value must be one of ${STAGES.join(', ')}.`);
  return found;
}
