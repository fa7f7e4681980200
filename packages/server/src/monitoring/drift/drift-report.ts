import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DriftCell, DriftFeature, DriftReport, MonitorConfig } from '@binnacle/contract';
import type { z } from 'zod';
import type { CategorySketch, NumericSketch, ProfileSet, Role, Sketch } from '../profile/index.ts';
import type { FeatureBaseline, TrainingProfile } from '../training/training-profile.ts';
import type { JudgedWindow } from './alarms.ts';
import { type Comparison, compare, onBaseline } from './compare.ts';

export type Cell = z.infer<typeof DriftCell>;
export type Feature = z.infer<typeof DriftFeature>;
export type Report = z.infer<typeof DriftReport>;

/** The profile of one window, merged from its buckets. */
export interface WindowProfile {
  start: number;
  rows: number;
  complete: boolean;
  set: ProfileSet;
}

interface Subject {
  role: Role;
  name: string;
  /** As the report shows it: an output that is called as a feature is says so. */
  title: string;
  baseline: FeatureBaseline | null;
  excluded: boolean;
}

/**
 * What is looked at: the baseline's features and outputs that live rows have, and what live rows bring beside them. A column of the
 * training data that never comes (an id, a score that the model does not give) is not missing: it is no feature. `all` keeps it.
 */
export function subjectsOf(profile: TrainingProfile | null, windows: WindowProfile[], config: MonitorConfig, all = false): Subject[] {
  const live = new Map<string, { role: Role; name: string }>();
  for (const { set } of windows) for (const { role, name } of set.entries) live.set(`${role} ${name}`, { role, name });
  const subjects = new Map<string, Subject>();
  const excluded = new Set(config.excludedFeatures);
  const add = (role: Role, name: string, baseline: FeatureBaseline | null) => {
    const key = `${role} ${name}`;
    if (!subjects.has(key)) subjects.set(key, { role, name, title: name, baseline, excluded: excluded.has(name) });
  };
  for (const role of ['feature', 'output'] as const) {
    for (const baseline of (role === 'feature' ? profile?.features : profile?.outputs) ?? [])
      if (all || live.has(`${role} ${baseline.name}`)) add(role, baseline.name, baseline);
    for (const one of live.values()) if (one.role === role) add(role, one.name, null);
  }
  for (const subject of subjects.values()) if (subject.role === 'output' && subjects.has(`feature ${subject.name}`)) subject.title = `output:${subject.name}`;
  return [...subjects.values()];
}

/** Every subject in every window. Gives way to the event loop after each comparison that may have to simulate a noise floor. */
export async function judge(
  subjects: Subject[],
  windows: WindowProfile[],
  config: MonitorConfig,
): Promise<{ features: Feature[]; judged: JudgedWindow[]; shares: (number | null)[] }> {
  const judged: JudgedWindow[] = windows.map(({ start }) => ({ start, features: new Map(), driftedShare: null }));
  const features: Feature[] = [];
  for (const subject of subjects) {
    const cells: Cell[] = [];
    for (const [i, window] of windows.entries()) {
      const sketches = window.set.of(subject.role, subject.name);
      const comparison =
        subject.baseline === null || window.rows === 0
          ? null
          : compare(subject.baseline, onBaseline(sketches, subject.baseline), window.rows, config.thresholds);
      const enough = window.rows >= config.minimumRows;
      cells.push(cellOf(window, subject, comparison, enough, sketches));
      judged[i]?.features.set(subject.title, { role: subject.role, excluded: subject.excluded, comparison: enough ? comparison : null });
      if (comparison !== null) await nextTurn();
    }
    features.push({ name: subject.title, kind: subject.role === 'output' ? 'prediction' : kindOf(subject, windows), excluded: subject.excluded, cells });
  }
  const shares = judged.map((window) => {
    const counted = [...window.features.values()].filter(({ role, excluded, comparison }) => role === 'feature' && !excluded && comparison !== null);
    window.driftedShare = counted.length === 0 ? null : counted.filter(({ comparison }) => comparison?.drift).length / counted.length;
    return window.driftedShare;
  });
  return { features, judged, shares };
}

function kindOf({ baseline, role, name }: Subject, windows: WindowProfile[]): 'numeric' | 'categorical' {
  if (baseline !== null) return baseline.kind;
  return windows.some(({ set }) => set.of(role, name).some(({ kind }) => kind === 'categorical')) ? 'categorical' : 'numeric';
}

export function cellOf(
  window: Pick<WindowProfile, 'start' | 'rows'>,
  subject: Pick<Subject, 'baseline' | 'excluded'>,
  comparison: Comparison | null,
  enough: boolean,
  sketches: Sketch[],
): Cell {
  const base = { windowStart: window.start, rows: window.rows };
  if (comparison === null) {
    const status = window.rows > 0 && subject.baseline === null ? ('no-baseline' as const) : ('insufficient' as const);
    const [only] = sketches;
    const mean = only !== undefined && only.kind !== 'categorical' && sketches.length === 1 && only.moments.count > 0 ? only.moments.mean : null;
    return {
      ...base,
      status: subject.excluded ? 'excluded' : status,
      js: null,
      ks: null,
      w1n: null,
      psi: null,
      noiseFloor: null,
      threshold: null,
      missingShare: missingShare(window.rows, sketches),
      unseenShare: null,
      mean,
    };
  }
  const { js, ks, w1n, psi, noiseFloor, threshold, missingShare: missing, unseenShare, mean, drift, warning } = comparison;
  const verdict = drift ? ('drift' as const) : warning ? ('warning' as const) : ('ok' as const);
  return {
    ...base,
    status: subject.excluded ? 'excluded' : enough ? verdict : 'insufficient',
    js,
    ks,
    w1n,
    psi,
    noiseFloor,
    threshold,
    missingShare: missing,
    unseenShare,
    mean,
  };
}

export function missingShare(rows: number, sketches: Sketch[]): number | null {
  if (rows === 0) return null;
  const present = sketches.reduce((sum, sketch) => sum + presentRows(sketch), 0);
  return Math.min(1, Math.max(0, (rows - present) / rows));
}

const presentRows = (sketch: Sketch | NumericSketch | CategorySketch): number =>
  sketch.rows - sketch.missing - (sketch.kind === 'categorical' ? 0 : sketch.nan);
