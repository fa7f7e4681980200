import type { BatchJob } from '@binnacle/contract';
import { Progress, Text } from '@mantine/core';
import { formatCompact, formatDuration, formatInt, formatPercent } from '../../ui/format.ts';

export const jobShare = (job: BatchJob): number | undefined =>
  job.state === 'succeeded' ? 1 : job.rowsTotal === null || job.rowsTotal === 0 ? undefined : Math.min(1, job.rowsDone / job.rowsTotal);

/** How far a job is, in a bar and in words. */
export function JobProgress({ job, size = 'sm' }: { job: BatchJob; size?: 'sm' | 'lg' }) {
  const share = jobShare(job);
  const active = job.state === 'running' || job.state === 'queued';
  return (
    <div style={{ minWidth: 130 }}>
      <Progress
        value={(share ?? (active ? 100 : 0)) * 100}
        size={size}
        animated={active}
        color={job.state === 'failed' ? 'red' : job.state === 'cancelled' ? 'yellow' : undefined}
        aria-label={`Progress of job ${job.id}`}
      />
      <Text size="xs" c="dimmed" mt={3} className="nowrap">
        {share === undefined
          ? `${formatInt(job.rowsDone)} rows`
          : `${formatPercent(share, 0)} · ${formatCompact(job.rowsDone)}${job.rowsTotal === null ? '' : ` of ${formatCompact(job.rowsTotal)}`}`}
        {active && job.etaSeconds !== null && ` · ${formatDuration(job.etaSeconds * 1000)} left`}
      </Text>
    </div>
  );
}
