import type { QualityWindow } from '@binnacle/contract';
import { Stack, Table, Text } from '@mantine/core';
import { useMemo } from 'react';
import { LIVE, useApi } from '../../app/api.ts';
import type { MonitorSearch } from '../../app/search.ts';
import { type ChartSeries, LineChart } from '../../charts/index.ts';
import { formatInt, formatNumber, formatPercent } from '../../ui/format.ts';
import { EmptyState } from '../../ui/empty.tsx';
import { Panel, Stats } from '../../ui/page.tsx';
import { QueryView } from '../../ui/states.tsx';
import { truthSnippets } from '../snippets/index.ts';
import { useServer } from '../snippets/use-server.ts';
import { RangeNote, useMonitorRange } from './use-range.tsx';
import { windowLabel } from './windows.ts';

const FEW = 100;
type Key = 'auc' | 'brier' | 'accuracy' | 'logLoss' | 'rmse' | 'mae' | 'majorityAccuracy' | 'majorityBrier';

/** How right the model was where the truth is known, beside a model that always says the majority. */
export function QualityTab({ endpoint, search, set }: { endpoint: string; search: MonitorSearch; set: (change: Partial<MonitorSearch>) => void }) {
  const server = useServer();
  const range = useMonitorRange(endpoint, search, 'live');
  const query = useApi(
    'getQuality',
    { params: { endpoint }, query: { version: search.version, from: range.from, to: range.to } },
    { refetchInterval: LIVE.slow, keepPrevious: true, enabled: range.ready },
  );
  // A handful of labels says little: such windows stand in the table, not in the charts.
  const windows = useMemo(() => query.data?.windows.filter((w) => w.labelled >= FEW), [query.data]);
  const charts = useMemo(() => {
    const x = windows?.map((w) => w.start) ?? [];
    const line = (key: Key, label: string, color: string, dashed = false): ChartSeries => ({
      key,
      label,
      color,
      dashed,
      x,
      y: windows?.map((w) => w[key]) ?? [],
    });
    const has = (key: Key) => windows?.some((w) => w[key] !== null) === true;
    return [
      has('auc') && {
        title: 'ROC AUC',
        note: 'higher is better, 0.5 is chance',
        series: [line('auc', 'model', '--bn-s1')],
        lines: [{ value: 0.5, label: 'chance', color: '--bn-muted' }],
      },
      has('brier') && {
        title: 'Brier score',
        note: 'lower is better',
        series: [line('brier', 'model', '--bn-s1'), line('majorityBrier', 'majority baseline', '--bn-s2', true)],
      },
      has('accuracy') && {
        title: 'Accuracy',
        note: 'higher is better',
        series: [line('accuracy', 'model', '--bn-s1'), line('majorityAccuracy', 'majority baseline', '--bn-s2', true)],
      },
      has('rmse') && { title: 'RMSE and MAE', note: 'lower is better', series: [line('rmse', 'RMSE', '--bn-s1'), line('mae', 'MAE', '--bn-s3')] },
    ].filter((c) => c !== false);
  }, [windows]);
  const note = <RangeNote range={range} all={search.all === true} onAll={(all) => set({ all: all ? true : undefined })} />;
  return (
    <QueryView query={query} lines={8}>
      {({ overall, windows: list, windowSeconds }) =>
        overall === null || overall.labelled === 0 ? (
          <EmptyState title="No ground truth yet" snippets={truthSnippets(server, endpoint)}>
            Send the true labels once they are known, by prediction id: the id of the request, a colon and the index of the instance. Quality is then measured
            by window, for every prediction that has its label.
            {note}
          </EmptyState>
        ) : (
          <Stack gap="md">
            <Panel title="Overall" actions={note}>
              <Overall overall={overall} />
            </Panel>
            <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(460px, 100%), 1fr))', gap: 14 }}>
              {charts.map((c) => (
                <Panel
                  key={c.title}
                  title={c.title}
                  actions={
                    <Text size="xs" c="dimmed">
                      {c.note}
                    </Text>
                  }
                >
                  <LineChart
                    title={c.title}
                    series={c.series}
                    xKind="time"
                    height={190}
                    {...('lines' in c && c.lines !== undefined ? { lines: c.lines } : {})}
                  />
                </Panel>
              ))}
            </div>
            <Panel title="By window" flush>
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Window (UTC)</Table.Th>
                    <Table.Th className="num">Predictions</Table.Th>
                    <Table.Th className="num">With truth</Table.Th>
                    <Table.Th className="num">Positive</Table.Th>
                    <Table.Th className="num">AUC</Table.Th>
                    <Table.Th className="num">Brier</Table.Th>
                    <Table.Th className="num">Majority Brier</Table.Th>
                    <Table.Th className="num">Accuracy</Table.Th>
                    <Table.Th className="num">Majority accuracy</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {[...list].reverse().map((w) => (
                    <Table.Tr key={w.start}>
                      <Table.Td className="nowrap">{windowLabel(w.start, w.end || w.start + windowSeconds * 1000)}</Table.Td>
                      <Table.Td className="num">{formatInt(w.predictions)}</Table.Td>
                      <Table.Td className="num">{formatInt(w.labelled)}</Table.Td>
                      <Table.Td className="num">{w.positives === null || w.labelled === 0 ? '–' : formatPercent(w.positives / w.labelled)}</Table.Td>
                      {(['auc', 'brier', 'majorityBrier', 'accuracy', 'majorityAccuracy'] as const).map((key) => (
                        <Table.Td key={key} className="num">
                          {formatNumber(w[key], 4)}
                        </Table.Td>
                      ))}
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Panel>
          </Stack>
        )
      }
    </QueryView>
  );
}

function Overall({ overall: o }: { overall: QualityWindow }) {
  const items = [
    {
      label: 'With ground truth',
      value: formatInt(o.labelled),
      hint: o.predictions > 0 ? `${formatPercent(o.labelled / o.predictions)} of the predictions` : undefined,
    },
  ];
  const add = (label: string, value: number | null, hint?: string) => value !== null && items.push({ label, value: formatNumber(value, 4), hint });
  add('ROC AUC', o.auc, 'chance 0.5');
  add('Brier score', o.brier, o.majorityBrier === null ? undefined : `majority ${formatNumber(o.majorityBrier, 4)}`);
  add('Accuracy', o.accuracy, o.majorityAccuracy === null ? undefined : `majority ${formatNumber(o.majorityAccuracy, 4)}`);
  add('Log loss', o.logLoss);
  add('RMSE', o.rmse);
  add('MAE', o.mae);
  return <Stats items={items} />;
}
