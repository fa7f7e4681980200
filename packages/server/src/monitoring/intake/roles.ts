import type { MonitorConfig } from '@binnacle/contract';
import type { ColumnValue } from '../profile/index.ts';
import { categoryKey, isMissing, toNumber } from '../profile/index.ts';

/** Which output columns are the prediction and the score of the positive class. -1: there is none. */
export interface OutputRoles {
  prediction: number;
  score: number;
  /** Scores of the classes when no output is a label: the largest is the prediction. */
  classes: number[];
}

const LABEL = /label|class/i;
const PREDICTION = /^(prediction|predictions|predict|predicted|output|output_?0|variable|result|y|yhat|y_pred)$/i;
const SCORE = /score|prob/i;
const MEMBER = /^(.*)\[(\d+)\]$/;

const setting = (settings: Record<string, string>, ...names: string[]): string | undefined =>
  names.map((name) => settings[name] ?? settings[`binnacle.${name}`]).find((value) => value !== undefined && value !== '');

/**
 * By the monitor's settings, else the model's (`scoreOutput`, `labelOutput` in its metadata or tags), else by name: `label` or
 * `output_label` is the prediction; of a group of two (`probabilities[0]`, `[1]`) the last is the score of the positive class, as
 * scikit-learn orders classes; a single `probability` or `score` is the score; a single other output is the prediction.
 */
export function resolveRoles(names: string[], config: Pick<MonitorConfig, 'scoreOutput' | 'labelOutput'>, settings: Record<string, string>): OutputRoles {
  const groups = new Map<string, number[]>();
  names.forEach((name, i) => {
    const group = MEMBER.exec(name)?.[1];
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), i]);
  });
  const single = names.flatMap((name, i) => (MEMBER.test(name) ? [] : [i]));
  const named = (wanted: string | undefined): number => {
    if (wanted === undefined) return -1;
    const exact = names.indexOf(wanted);
    const group = groups.get(wanted);
    return exact >= 0 || group === undefined ? exact : (group[Math.min(1, group.length - 1)] ?? -1);
  };
  const find = (pattern: RegExp): number => single.find((i) => pattern.test(names[i] as string)) ?? -1;
  const pairs = [...groups].filter(([, members]) => members.length === 2);
  const pair = pairs.find(([name]) => SCORE.test(name)) ?? pairs[0];

  let score = named(config.scoreOutput ?? setting(settings, 'scoreOutput', 'score_output'));
  if (score < 0 && pair !== undefined) score = pair[1][1] ?? -1;
  let prediction = named(config.labelOutput ?? setting(settings, 'labelOutput', 'label_output'));
  if (prediction < 0) prediction = single.find((i) => i !== score && LABEL.test(names[i] as string) && !SCORE.test(names[i] as string)) ?? -1;
  if (prediction < 0) prediction = single.find((i) => i !== score && PREDICTION.test(names[i] as string)) ?? -1;
  if (score < 0) score = single.find((i) => i !== prediction && SCORE.test(names[i] as string)) ?? -1;
  const left = single.filter((i) => i !== score && i !== prediction);
  if (prediction < 0 && left.length === 1 && (score < 0 || find(SCORE) !== left[0])) prediction = left[0] ?? -1;
  const classes = [...groups.values()].find((members) => members.length >= 2) ?? [];
  return { prediction, score, classes: prediction < 0 ? classes : [] };
}

/** A class's name, equal for every way of writing it: true, "True" and 1 are one. */
export function classKey(value: string | number | boolean | bigint): string {
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true' ? '1' : '0';
  return categoryKey(value);
}

/** Prediction and score of one row. A model that gives only scores predicts the likelier class. */
export function outcome(
  roles: OutputRoles,
  outputs: readonly { values: ArrayLike<unknown> }[],
  row: number,
): { prediction: string | null; number: number | null; score: number | null } {
  const at = (index: number): ColumnValue => outputs[index]?.values[row] as ColumnValue;
  const score = roles.score < 0 ? Number.NaN : toNumber(at(roles.score));
  let value: ColumnValue = roles.prediction < 0 ? undefined : at(roles.prediction);
  if (roles.prediction < 0 && roles.classes.length > 0) value = argmax(roles.classes.map((index) => toNumber(at(index))));
  else if (roles.prediction < 0 && roles.score >= 0 && !Number.isNaN(score)) value = score >= 0.5 ? 1 : 0;
  const number = toNumber(value);
  return {
    prediction: isMissing(value) ? null : classKey(value as string),
    number: Number.isNaN(number) ? null : number,
    score: Number.isNaN(score) ? null : score,
  };
}

const argmax = (scores: number[]): number => scores.reduce((best, score, i) => (score > (scores[best] as number) ? i : best), 0);
