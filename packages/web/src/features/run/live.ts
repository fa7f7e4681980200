import type { RunDetail } from '@binnacle/contract';

/** A run that may still grow. */
export const isLive = (run: Pick<RunDetail, 'status'> | undefined): boolean => run?.status === 'RUNNING' || run?.status === 'SCHEDULED';

/** What grows while a run goes on. */
export const GROWING = ['getSeries', 'listMetricKeys', 'sparklines', 'listRunArtifacts', 'listEntryKeys', 'getEntries'] as const;
