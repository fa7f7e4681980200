import type { DriftCell, DriftReport, MonitorConfig } from '@binnacle/contract';
import { Button, Group, SegmentedControl, Stack, Table, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useMemo } from 'react';
import { LIVE, useApi } from '../../app/api.ts';
import type { MonitorSearch } from '../../app/search.ts';
import { DistributionChart } from '../../charts/distribution-chart.tsx';
import { HeatLegend, HeatMap } from '../../charts/heat-map.tsx';
import { formatInt, formatNumber, formatPercent, formatUtcDay } from '../../ui/format.ts';
import { Panel, Stats } from '../../ui/page.tsx';
import { QueryView } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';
import { AlarmLine } from './alarm-line.tsx';
import { RangeNote, useMonitorRange } from './use-range.tsx';
import { boundOf, FIGURES, type Figure, heatLevel, orderFeatures, windowLabel } from './windows.ts';

type Setter = (change: Partial<MonitorSearch>) => void;
const WORDS: Record<DriftCell['status'], string> = {
  ok: 'no drift',
  drift: 'drift',
  warning: 'above the bound, not yet an alarm',
  insufficient: 'too few rows to tell',
  'no-baseline': 'no baseline to compare with',
  excluded: 'left out of drift',
};

/** Every feature and window against training; a cell opens the two distributions. */
export function DriftTab({ endpoint, search, set, config }: { endpoint: string; search: MonitorSearch; set: Setter; config: MonitorConfig }) {
  const source = search.source ?? 'live';
  const range = useMonitorRange(endpoint, search, source);
  const query = useApi(
    'getDrift',
    { params: { endpoint }, query: { version: search.version, source, from: range.from, to: range.to } },
    { refetchInterval: LIVE.slow, keepPrevious: true, enabled: range.ready },
  );
  const evaluate = useAction('evaluateMonitor', { notifyError: true, done: 'Evaluated' });
  const figure = search.figure ?? 'js';
  return (
    <QueryView query={query} lines={10}>
      {(report) => (
        <Stack gap="md">
          <Panel
            title="Drift"
            actions={
              <>
                <SegmentedControl
                  aria-label="Figure"
                  value={figure}
                  onChange={(f) => set({ figure: f === 'js' ? undefined : (f as Figure) })}
                  data={(Object.keys(FIGURES) as Figure[]).map((value) => ({ value, label: { js: 'JS', ks: 'KS', w1n: 'W1n', psi: 'PSI' }[value] }))}
                />
                <Button
                  variant="default"
                  leftSection={<IconRefresh size={14} aria-hidden />}
                  loading={evaluate.isPending}
                  onClick={() => evaluate.mutate({ params: { endpoint } })}
                >
                  Evaluate now
                </Button>
              </>
            }
          >
            {report.windows.length === 0 ? (
              <Group gap="sm">
                <Text c="dimmed" size="sm">
                  No window of traffic {range.from === undefined ? 'yet' : 'in this range'}. Windows last {formatInt(report.windowSeconds / 3600)} hours.
                </Text>
                <RangeNote range={range} all={search.all === true} onAll={(all) => set({ all: all ? true : undefined })} />
              </Group>
            ) : (
              <>
                <Group justify="space-between" mb="xs" gap="xs">
                  <Text size="xs" c="dimmed">
                    {report.baseline === null ? 'No baseline' : `Against ${report.baseline.source}, ${formatInt(report.baseline.rows)} rows`}
                    {report.version === null ? '' : `, version ${report.version}`}
                  </Text>
                  <RangeNote range={range} all={search.all === true} onAll={(all) => set({ all: all ? true : undefined })} />
                  <HeatLegend />
                </Group>
                <Heat report={report} figure={figure} config={config} search={search} set={set} />
              </>
            )}
          </Panel>
          {report.alarms.filter((a) => a.state === 'open').length > 0 && (
            <Panel title="Open alarms">
              {report.alarms
                .filter((a) => a.state === 'open')
                .map((a) => (
                  <AlarmLine key={a.id} alarm={a} />
                ))}
            </Panel>
          )}
          {search.feature !== undefined && search.window !== undefined && (
            <DistributionPanel endpoint={endpoint} search={search} report={report} config={config} set={set} />
          )}
        </Stack>
      )}
    </QueryView>
  );
}

function Heat({ report, figure, config, search, set }: { report: DriftReport; figure: Figure; config: MonitorConfig; search: MonitorSearch; set: Setter }) {
  const features = useMemo(() => orderFeatures(report), [report]);
  return (
    <HeatMap
      caption={`${FIGURES[figure]} of each feature and window. Windows are cut in UTC${report.windows.some((w) => !w.complete) ? '; the last one is not complete yet' : ''}. Dashed: not judged.`}
      columns={report.windows.map((w) => ({
        key: String(w.start),
        label: `${formatUtcDay(w.start, false)}${w.complete ? '' : ' …'}`,
        title: `${windowLabel(w.start, w.end)}: ${formatInt(w.rows)} rows${w.driftedShare === null ? '' : `, ${formatPercent(w.driftedShare)} of the features drift`}`,
      }))}
      rows={features.map((f) => {
        const byStart = new Map(f.cells.map((c) => [c.windowStart, c]));
        return {
          key: f.name,
          label: f.name,
          ...(f.excluded ? { note: 'left out' } : f.kind === 'prediction' ? { note: 'prediction' } : {}),
          cells: report.windows.map((w) => {
            const cell = byStart.get(w.start);
            if (cell === undefined) return { level: null, text: '', label: `${f.name}, ${windowLabel(w.start, w.end)}: no data` };
            const value = cell[figure];
            const measured = cell.status !== 'insufficient' && cell.status !== 'no-baseline' && cell.rows >= config.minimumRows;
            return {
              level: measured ? heatLevel(value, boundOf(cell, figure, config.thresholds)) : null,
              text: value === null ? '–' : formatNumber(value, 2),
              label: `${f.name}, ${windowLabel(w.start, w.end)}: ${value === null ? 'not measured' : `${FIGURES[figure]} ${formatNumber(value, 3)}`}, ${WORDS[cell.status]}, ${formatInt(cell.rows)} rows`,
              marked: cell.status === 'drift',
              faint: f.excluded || !w.complete,
              pressed: search.feature === f.name && search.window === w.start,
            };
          }),
        };
      })}
      onOpen={(r, c) => set({ feature: features[r]?.name, window: report.windows[c]?.start })}
    />
  );
}

function DistributionPanel({
  endpoint,
  search,
  report,
  config,
  set,
}: {
  endpoint: string;
  search: MonitorSearch;
  report: DriftReport;
  config: MonitorConfig;
  set: Setter;
}) {
  const feature = search.feature ?? '';
  const start = search.window ?? 0;
  const query = useApi(
    'getDistribution',
    { params: { endpoint }, query: { feature, windowStart: start, version: search.version, source: search.source ?? 'live' } },
    { keepPrevious: true },
  );
  const window = report.windows.find((w) => w.start === start);
  return (
    <Panel
      title={`${feature}, ${windowLabel(start, window?.end ?? start + report.windowSeconds * 1000)}`}
      actions={
        <Button variant="subtle" color="gray" onClick={() => set({ feature: undefined, window: undefined })}>
          Close
        </Button>
      }
    >
      <QueryView query={query} lines={5}>
        {(d) => {
          const cell = d.cell;
          const sides: [string, (side: typeof d.current) => string][] = [
            ['Rows', (s) => formatInt(s.rows)],
            ['Mean', (s) => formatNumber(s.mean)],
            ['Standard deviation', (s) => formatNumber(s.std)],
            ['Smallest', (s) => formatNumber(s.min)],
            ['Largest', (s) => formatNumber(s.max)],
            ['Missing', (s) => formatPercent(s.missingShare, 2)],
          ];
          const base = d.baseline === null ? null : { ...d.baseline, unseenShare: null };
          return (
            <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))', gap: 20, alignItems: 'start' }}>
              <div>
                <Group gap="md" mb={4}>
                  <span className="bn-legend">
                    <span aria-hidden style={{ width: 16, height: 10, border: '1.8px solid var(--bn-s1)' }} />
                    <Text span size="xs">
                      training (outline)
                    </Text>
                  </span>
                  <span className="bn-legend">
                    <span aria-hidden style={{ width: 16, height: 10, background: 'var(--bn-s2)', opacity: 0.55 }} />
                    <Text span size="xs">
                      this window (filled)
                    </Text>
                  </span>
                </Group>
                <DistributionChart data={d} />
              </div>
              <Stack gap="md">
                {cell !== null && (
                  <>
                    <Stats
                      items={(Object.keys(FIGURES) as Figure[]).map((key) => {
                        const bound = boundOf(cell, key, config.thresholds);
                        const value = cell[key];
                        return {
                          label: { js: 'JS distance', ks: 'KS', w1n: 'W1n', psi: 'PSI' }[key],
                          value: formatNumber(value, 3),
                          tone: value !== null && value > bound ? ('bad' as const) : undefined,
                          hint: `bound ${formatNumber(bound, 3)}`,
                        };
                      })}
                    />
                    <Text size="sm">
                      {cell.status === 'drift' || cell.status === 'warning' ? <strong>{WORDS[cell.status]}</strong> : WORDS[cell.status]}. A drift-free window
                      of this size stays below {formatNumber(cell.noiseFloor, 3)} JS in 99 of 100 cases; the threshold is {formatNumber(cell.threshold, 3)}.
                    </Text>
                  </>
                )}
                <Table>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Figure</Table.Th>
                      <Table.Th className="num">Training</Table.Th>
                      <Table.Th className="num">Window</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {sides.map(([label, of]) => (
                      <Table.Tr key={label}>
                        <Table.Td>{label}</Table.Td>
                        <Table.Td className="num">{base === null ? '–' : of(base)}</Table.Td>
                        <Table.Td className="num">{of(d.current)}</Table.Td>
                      </Table.Tr>
                    ))}
                    {d.current.unseenShare !== null && (
                      <Table.Tr>
                        <Table.Td>Values never seen in training</Table.Td>
                        <Table.Td className="num">–</Table.Td>
                        <Table.Td className="num">{formatPercent(d.current.unseenShare, 2)}</Table.Td>
                      </Table.Tr>
                    )}
                  </Table.Tbody>
                </Table>
              </Stack>
            </div>
          );
        }}
      </QueryView>
    </Panel>
  );
}
