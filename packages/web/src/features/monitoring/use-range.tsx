import { Button, Group, Text } from '@mantine/core';
import { useApi } from '../../app/api.ts';
import type { MonitorSearch } from '../../app/search.ts';
import { formatPercent, formatTime } from '../../ui/format.ts';
import { busiestSpan } from './windows.ts';

export interface MonitorRange {
  /** What to ask the server for; both absent: its own default. */
  from?: number;
  to?: number;
  /** Set when the range was chosen because the rest is silence. */
  auto?: { from: number; to: number; share: number };
  ready: boolean;
}

/** The range of event time a monitor page shows: what the URL says, else where the traffic is. */
export function useMonitorRange(endpoint: string, search: MonitorSearch, source: 'live' | 'batch' | 'all'): MonitorRange {
  const chosen = search.from !== undefined && search.to !== undefined;
  const coarse = useApi('getTimeSeries', { params: { endpoint }, query: { source } }, { enabled: !chosen && search.all !== true, staleTime: 60_000 });
  if (chosen) return { from: Math.floor(search.from as number), to: Math.ceil(search.to as number), ready: true };
  if (search.all === true) return { ready: true };
  if (coarse.data === undefined) return { ready: coarse.isError };
  const span = busiestSpan(coarse.data.buckets, coarse.data.bucketSeconds);
  return span === null ? { ready: true } : { from: span.from, to: span.to, auto: span, ready: true };
}

/** Says which part is shown, and how to see the rest. */
export function RangeNote({ range, all, onAll }: { range: MonitorRange; all: boolean; onAll: (all: boolean) => void }) {
  if (all)
    return (
      <Button variant="subtle" size="compact-xs" onClick={() => onAll(false)}>
        Only where the traffic is
      </Button>
    );
  if (range.auto === undefined) return null;
  return (
    <Group gap={6}>
      <Text size="xs" c="dimmed">
        {formatTime(range.auto.from, false).slice(0, 10)} to {formatTime(range.auto.to, false).slice(0, 10)}, which holds{' '}
        {range.auto.share > 0.999 ? 'nearly all' : formatPercent(range.auto.share)} of the traffic.
      </Text>
      <Button variant="subtle" size="compact-xs" onClick={() => onAll(true)}>
        Whole history
      </Button>
    </Group>
  );
}
