import type { ProgressMeter } from './progress.ts';
import type { BatchJob, Fingerprint, JobRecord } from './types.ts';

/** A job as the API shows it; the meter of a running one adds its speed. */
export function jobView(job: JobRecord, meter?: ProgressMeter): BatchJob {
  const ended = job.activeMs > 0 && job.state !== 'queued' ? job.rowsDone / (job.activeMs / 1000) : null;
  return {
    id: job.id,
    state: job.state,
    spec: job.spec,
    model: job.model,
    version: job.version,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    endedAt: job.endedAt,
    rowsTotal: job.rowsTotal,
    rowsDone: job.rowsDone + job.rowsRejected,
    rowsFailed: job.rowsFailed + job.rowsRejected,
    chunksTotal: job.chunksTotal,
    chunksDone: job.chunksDone,
    rowsPerSecond: meter === undefined ? ended : meter.rowsPerSecond,
    etaSeconds: meter === undefined ? null : meter.etaSeconds,
    inferenceSeconds: job.inferenceMs / 1000,
    message: job.message,
    error: job.error,
    output: job.output,
  };
}

const NAMES: Record<keyof Fingerprint, string> = {
  model: 'the model',
  version: "the model's version",
  packageId: 'the model behind the name',
  input: 'the input (its files, their sizes or times)',
  chunkRows: 'chunkRows',
  outputFormat: 'the output format',
  singleFile: 'singleFile',
  columns: 'the columns passed through',
  select: 'select',
  where: 'where',
  withIds: 'monitor',
};

/** What differs between two fingerprints, in words; [] when nothing does. */
export const differences = (old: Fingerprint, wanted: Fingerprint): string[] =>
  (Object.keys(NAMES) as (keyof Fingerprint)[])
    .filter((key) => JSON.stringify(old[key]) !== JSON.stringify(wanted[key]))
    .map((key) =>
      key === 'input' || key === 'packageId'
        ? `${NAMES[key]} changed`
        : `${NAMES[key]} was ${JSON.stringify(old[key])} and is now ${JSON.stringify(wanted[key])}`,
    );
