import { Button, Group, Table, Text, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../app/api.ts';
import type { MonitorSearch } from '../../app/search.ts';
import { Time } from '../../ui/bits.tsx';
import { formatDuration, formatNumber } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';

/** The prediction log: what came in, what went out, and the truth where it is known. */
export function PredictionsTab({ endpoint, search, set }: { endpoint: string; search: MonitorSearch; set: (change: Partial<MonitorSearch>) => void }) {
  const [draft, setDraft] = useState(search.id ?? '');
  const query = { limit: 100, from: search.from, to: search.to, predictionId: search.id };
  const list = useInfiniteQuery({
    queryKey: ['listPredictions', endpoint, query],
    queryFn: ({ pageParam, signal }) => client.call('listPredictions', { params: { endpoint }, query: { ...query, pageToken: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextPageToken,
  });
  const rows = list.data?.pages.flatMap((p) => p.predictions);
  const features = [...new Set((rows ?? []).slice(0, 100).flatMap((r) => Object.keys(r.features)))].slice(0, 60);
  return (
    <>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          set({ id: draft.trim() === '' ? undefined : draft.trim() });
        }}
      >
        <Group mb="sm" gap="xs">
          <TextInput aria-label="Prediction id" placeholder="Find by prediction id" value={draft} onChange={(e) => setDraft(e.currentTarget.value)} w={300} />
          <Button type="submit" variant="default">
            Find
          </Button>
          <Button variant="subtle" color="gray" onClick={() => void list.refetch()} loading={list.isRefetching}>
            Refresh
          </Button>
        </Group>
      </form>
      {list.isError && <ErrorState error={list.error} retry={list.refetch} />}
      {rows === undefined && !list.isError && <Loading lines={10} />}
      {rows !== undefined && (
        <Panel title="Predictions" flush>
          {rows.length === 0 ? (
            <Text c="dimmed" size="sm" p="md">
              {search.id === undefined ? 'None logged.' : 'No prediction has this id.'}
            </Text>
          ) : (
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Event time</Table.Th>
                  <Table.Th className="num">Prediction</Table.Th>
                  <Table.Th className="num">Score</Table.Th>
                  <Table.Th className="num">Truth</Table.Th>
                  <Table.Th>Version</Table.Th>
                  <Table.Th className="num">Latency</Table.Th>
                  {features.map((f) => (
                    <Table.Th key={f}>{f}</Table.Th>
                  ))}
                  <Table.Th>Id</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map((r) => (
                  // A shadow answers under the same id as the version that is served.
                  <Table.Tr key={`${r.predictionId} ${r.version}`}>
                    <Table.Td>
                      <Time at={r.timestamp} />
                    </Table.Td>
                    <Table.Td className="num">{typeof r.prediction === 'string' ? r.prediction : formatNumber(r.prediction)}</Table.Td>
                    <Table.Td className="num">{formatNumber(r.score, 4)}</Table.Td>
                    <Table.Td className="num">{r.label === null ? '–' : String(r.label)}</Table.Td>
                    <Table.Td>v{r.version}</Table.Td>
                    <Table.Td className="num">{formatDuration(r.latencyMs)}</Table.Td>
                    {features.map((f) => {
                      const v = r.features[f];
                      return (
                        <Table.Td key={f} className={typeof v === 'number' ? 'num' : 'nowrap'}>
                          {v === null || v === undefined ? '–' : typeof v === 'number' ? formatNumber(v) : typeof v === 'string' ? v : JSON.stringify(v)}
                        </Table.Td>
                      );
                    })}
                    <Table.Td>
                      <code className="nowrap">{r.predictionId}</code>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
        </Panel>
      )}
      {list.hasNextPage && (
        <Group mt="sm">
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Older
          </Button>
        </Group>
      )}
    </>
  );
}
