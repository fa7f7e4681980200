import type { QualityWindow } from '@binnacle/contract';
import { classKey } from '../intake/roles.ts';
import type { QualitySums } from '../prediction-log.port.ts';

export type Task = 'classification' | 'regression';

/**
 * Measures of a window from its sums. Beside them the majority baselines, from the window's own share p of positives: always predicting the
 * commoner class is max(p, 1−p) accurate, always giving p has the Brier score p(1−p).
 */
export function qualityOf(sums: QualitySums, span: { start: number; end: number }, task: Task): QualityWindow {
  const { scored, predicted, numeric, labelled, predictions } = sums;
  const share = scored === 0 ? null : sums.positives / scored;
  const regression = task === 'regression' && scored === 0 && numeric > 0;
  const mean = (sum: number, count: number): number | null => (count === 0 ? null : sum / count);
  return {
    ...span,
    predictions,
    labelled,
    auc: sums.auc,
    brier: mean(sums.squaredError, scored),
    accuracy: regression ? null : predicted > 0 ? sums.correct / predicted : mean(sums.thresholded, scored),
    logLoss: mean(sums.logLoss, scored),
    rmse: regression ? Math.sqrt(sums.squaredResidual / numeric) : null,
    mae: regression ? sums.absoluteResidual / numeric : null,
    positives: scored === 0 ? null : sums.positives,
    majorityAccuracy: share === null ? null : Math.max(share, 1 - share),
    majorityBrier: share === null ? null : share * (1 - share),
  };
}

/**
 * Which of the labels a score is the probability of: the one that is set; else 1 (or true); else the last of two in sorting order, as
 * scikit-learn orders classes. Undefined when there are more than two, or only one that does not say.
 */
export function positiveClass(classes: string[], wanted: string | number | boolean | undefined): string | undefined {
  if (wanted !== undefined) return classKey(wanted);
  if (classes.length > 2 || classes.length === 0) return undefined;
  if (classes.every((label) => label === '0' || label === '1')) return '1';
  if (classes.length === 1) return undefined;
  const [a, b] = classes as [string, string];
  const numbers = [Number(a), Number(b)] as [number, number];
  if (numbers.every(Number.isFinite)) return numbers[0] > numbers[1] ? a : b;
  return a > b ? a : b;
}
