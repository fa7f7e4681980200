import type { Alarm, DriftReport } from '@binnacle/contract';
import type { LiveFigures } from './live.ts';

export interface QualityFigures {
  auc: number | null;
  brier: number | null;
  accuracy: number | null;
  /** What one gets without a model: the share of late flights as every score. Its ROC AUC is 0.5. */
  majorityBrier: number | null;
  majorityAccuracy: number | null;
}

export interface WeekFigures extends QualityFigures {
  start: string;
  flights: number;
  labelled: number;
  drifted: string[];
  /** Jensen-Shannon distance to the training profile, by feature. */
  js: Record<string, number | null>;
  simulatedFault: boolean;
}

/** What `demo --json` prints. */
export interface DemoSummary {
  url: string;
  dataDir: string;
  runs: { name: string; runId: string; status: string; auc: number | null; brier: number | null; url: string }[];
  versions: { version: number; run: string; aliases: string[]; champion: boolean }[];
  gates: { version: number; run: string; passed: boolean | null; results: { gate: string; passed: boolean; message: string }[] }[];
  endpoint: { name: string; model: string; state: string; version: number | null; tier: string | null; runMicros: number | null } | null;
  batch: {
    jobId: string;
    state: string;
    rows: number;
    rowsFailed: number;
    rowsPerSecond: number | null;
    seconds: number | null;
    inferenceSeconds: number;
    output: string;
  } | null;
  live: (LiveFigures & { from: string; to: string; serverP50Ms: number | null; serverP99Ms: number | null }) | null;
  quality: { validation: QualityFigures; live: QualityFigures & { labelled: number } } | null;
  drift: {
    windowSeconds: number;
    baseline: DriftReport['baseline'];
    excluded: string[];
    simulatedFault: { from: string; to: string; feature: string; what: string };
    weeks: WeekFigures[];
  };
  alarms: (Pick<Alarm, 'kind' | 'feature' | 'version' | 'state' | 'message' | 'value' | 'threshold'> & { week: string })[];
}
