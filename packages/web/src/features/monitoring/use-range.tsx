import { Button, Group, Text } from '@mantine/core';
import { useApi } from '../../app/api.ts';
import type { MonitorSearch } from '../../app/search.ts';
import { formatPercent, formatTime } from '../../ui/format.ts';
import { busiestSpan, clampRange, MOST_WINDOWS, wholeHistory } from './windows.ts';

export interface MonitorRange {
  /** What to ask the server for; both absent: its own default. */
  from?: number;
  to?: number;
  /** Set when the range was chosen because the rest is silence. */
  auto?: { from: number; to: number; share: number };
  /** Set when there is more than the server judges at once. */
  cut?: boolean;
  ready: boolean;
}

/**
 * The range of event time a monitor page shows: what the URL says, else where the traffic is. `byWindow`: the server cuts it into the monitor's
 * windows, of which it takes so many only and shows the latest few unless it is told a range.
 */
export function useMonitorRange(endpoint: string, search: MonitorSearch, source: 'live' | 'batch' | 'all', byWindow = true): MonitorRange {
  const chosen = search.from !== undefined && search.to !== undefined;
  const coarse = useApi('getTimeSeries', { params: { endpoint }, query: { source } }, { enabled: !chosen && search.all !== true, staleTime: 60_000 });
  const monitor = useApi('getMonitor', { params: { endpoint } }, { enabled: byWindow && !chosen });
  if (chosen) return { from: Math.floor(search.from as number), to: Math.ceil(search.to as number), ready: true };
  if (byWindow && monitor.data === undefined) return { ready: monitor.isError };
  const windowSeconds = monitor.data?.config.windowSeconds ?? 0;
  if (search.all === true) {
    const whole = byWindow ? wholeHistory(monitor.data?.firstPredictionAt ?? null, monitor.data?.lastPredictionAt ?? null, windowSeconds) : null;
    return { ...whole, ready: true };
  }
  if (coarse.data === undefined) return { ready: coarse.isError };
  const span = busiestSpan(coarse.data.buckets, coarse.data.bucketSeconds);
  if (span === null) return { ready: true };
  return { ...(byWindow ? clampRange(span.from, span.to, windowSeconds) : { from: span.from, to: span.to }), auto: span, ready: true };
}

/** Says which part is shown, and how to see the rest. */
export function RangeNote({ range, all, onAll }: { range: MonitorRange; all: boolean; onAll: (all: boolean) => void }) {
  const cut = range.cut === true ? ` Only its last ${MOST_WINDOWS} windows are shown.` : '';
  if (all)
    return (
      <Group gap={6}>
        {cut !== '' && (
          <Text size="xs" c="dimmed">
            {cut.trim().replace('its', 'the')}
          </Text>
        )}
        <Button variant="subtle" size="compact-xs" onClick={() => onAll(false)}>
          Only where the traffic is
        </Button>
      </Group>
    );
  if (range.auto === undefined) return null;
  return (
    <Group gap={6}>
      <Text size="xs" c="dimmed">
        {formatTime(range.auto.from, false).slice(0, 10)} to {formatTime(range.auto.to, false).slice(0, 10)}, which holds{' '}
        {range.auto.share > 0.999 ? 'nearly all' : formatPercent(range.auto.share)} of the traffic.{cut}
      </Text>
      <Button variant="subtle" size="compact-xs" onClick={() => onAll(true)}>
        Whole history
      </Button>
    </Group>
  );
}
