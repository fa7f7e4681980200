import type { Alarm, MonitorConfig } from '@binnacle/contract';
import type { Comparison } from './compare.ts';

/** What a complete window says of every feature; null: too few rows, which neither starts, continues nor ends anything. */
export interface JudgedWindow {
  start: number;
  features: Map<string, { role: 'feature' | 'output'; excluded: boolean; comparison: Comparison | null }>;
  driftedShare: number | null;
}

/** An episode of windows in a row that went wrong in the same way. */
export interface Episode {
  kind: Alarm['kind'];
  feature: string | null;
  firstWindow: number;
  lastWindow: number;
  /** Still wrong in the newest complete window. */
  open: boolean;
  severity: Alarm['severity'];
  value: number;
  threshold: number;
  message: string;
}

interface Symptom {
  kind: Alarm['kind'];
  feature: string | null;
  value: number;
  threshold: number;
  text: string;
}

/** Half of the features: then it is the data as a whole, not a feature. */
const DATASET_SHARE = 0.5;
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
const short = (value: number): string => value.toFixed(3);

function symptomsOf(window: JudgedWindow): Symptom[] {
  const found: Symptom[] = [];
  let drifted = 0;
  for (const [name, { role, excluded, comparison: c }] of window.features) {
    if (c === null) continue;
    const missing = c.missingShare > c.missingThreshold;
    if (missing) {
      found.push({
        kind: 'missing-values',
        feature: name,
        value: c.missingShare,
        threshold: c.missingThreshold,
        text: `${percent(c.missingShare)} of ${name} is missing; at most ${percent(c.missingThreshold)} was to be expected`,
      });
    }
    if (excluded) continue;
    if (role === 'feature' && c.unseenShare > c.unseenThreshold) {
      found.push({
        kind: 'unseen-values',
        feature: name,
        value: c.unseenShare,
        threshold: c.unseenThreshold,
        text: `${percent(c.unseenShare)} of ${name} are categories that training never saw; at most ${percent(c.unseenThreshold)} was to be expected`,
      });
    }
    // Where the missing values are the whole difference, one alarm says it.
    if (!c.drift || (missing && (c.jsPresent ?? 0) <= c.threshold)) continue;
    if (role === 'feature') drifted++;
    found.push({
      kind: role === 'output' ? 'prediction-drift' : 'feature-drift',
      feature: name,
      value: c.js,
      threshold: c.threshold,
      text: `${name} has drifted from training: JS distance ${short(c.js)}, threshold ${short(c.threshold)}${c.w1n === null ? '' : `, moved by ${short(c.w1n)} standard deviations`}`,
    });
  }
  if (drifted >= 2 && window.driftedShare !== null && window.driftedShare >= DATASET_SHARE) {
    found.push({
      kind: 'dataset-drift',
      feature: null,
      value: window.driftedShare,
      threshold: DATASET_SHARE,
      text: `${percent(window.driftedShare)} of the features have drifted`,
    });
  }
  return found;
}

/**
 * Every episode of at least `consecutiveWindows` windows in a row with the same symptom. Windows come oldest first, complete ones only.
 * A pure function of the data: late rows and labels may change the past, and the alarms follow.
 */
export function findEpisodes(windows: JudgedWindow[], config: Pick<MonitorConfig, 'consecutiveWindows'>): Episode[] {
  const running = new Map<string, { symptoms: Symptom[]; first: number; last: number }>();
  const done: Episode[] = [];
  const finish = (key: string, open: boolean) => {
    const run = running.get(key);
    running.delete(key);
    if (run === undefined || run.symptoms.length < config.consecutiveWindows) return;
    const worst = run.symptoms.reduce((a, b) => (b.value > a.value ? b : a));
    const severe = worst.kind === 'dataset-drift' || worst.value >= 2 * worst.threshold;
    done.push({
      kind: worst.kind,
      feature: worst.feature,
      firstWindow: run.first,
      lastWindow: run.last,
      open,
      severity: severe ? 'critical' : 'warning',
      value: worst.value,
      threshold: worst.threshold,
      message: worst.text,
    });
  };
  for (const window of windows) {
    const symptoms = new Map(symptomsOf(window).map((symptom) => [`${symptom.kind} ${symptom.feature ?? ''}`, symptom]));
    for (const [key, run] of running) {
      const feature = run.symptoms[0]?.feature ?? null;
      const judged = feature === null ? window.driftedShare !== null : window.features.get(feature)?.comparison != null;
      if (judged && !symptoms.has(key)) finish(key, false);
    }
    for (const [key, symptom] of symptoms) {
      const run = running.get(key) ?? { symptoms: [], first: window.start, last: window.start };
      run.symptoms.push(symptom);
      run.last = window.start;
      running.set(key, run);
    }
  }
  for (const key of running.keys()) finish(key, true);
  return done;
}

export interface AlarmChanges {
  raise: Episode[];
  update: { id: string; episode: Episode }[];
  /** Their episode is gone: late data has changed the window, or it lies before all that was judged. */
  close: string[];
}

/**
 * What must change so that the stored alarms of one version are the episodes. An alarm belongs to the episode whose windows overlap its own. Of an
 * episode that began before the first judged window (`from`; Infinity when none was judged) only the end is seen: its alarm keeps its beginning.
 */
export function reconcileAlarms(stored: Alarm[], episodes: Episode[], judged: { from: number }): AlarmChanges {
  const changes: AlarmChanges = { raise: [], update: [], close: [] };
  const used = new Set<string>();
  for (const seen of episodes) {
    let episode = seen;
    const mine = stored.find(
      (alarm) =>
        !used.has(alarm.id) &&
        alarm.kind === episode.kind &&
        alarm.feature === episode.feature &&
        alarm.firstWindow <= episode.lastWindow &&
        alarm.lastWindow >= episode.firstWindow,
    );
    if (mine === undefined) {
      changes.raise.push(episode);
      continue;
    }
    used.add(mine.id);
    if (episode.firstWindow === judged.from && mine.firstWindow < judged.from) episode = { ...episode, firstWindow: mine.firstWindow };
    const same =
      mine.firstWindow === episode.firstWindow &&
      mine.lastWindow === episode.lastWindow &&
      (mine.state === 'open') === episode.open &&
      mine.value === episode.value &&
      mine.threshold === episode.threshold;
    if (!same) changes.update.push({ id: mine.id, episode });
  }
  for (const alarm of stored) if (!used.has(alarm.id) && alarm.state === 'open' && judged.from !== Number.POSITIVE_INFINITY) changes.close.push(alarm.id);
  return changes;
}
