import type { EndpointDetail, ServedVersion } from '@binnacle/contract';
import { Table, Text, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { State, Time } from '../../ui/bits.tsx';
import { formatBytes, formatDuration, formatInt, formatPercent } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';

const TIERS: Record<NonNullable<ServedVersion['tier']>, string> = {
  inline: 'event loop',
  worker: 'worker threads',
  process: 'a process of its own',
  remote: 'another server',
  ensemble: 'other models',
};

/** What answers, where it runs, and how much waits for it. */
export function VersionsTable({ endpoint }: { endpoint: EndpointDetail }) {
  const judged = endpoint.versions.some(({ canary }) => canary !== null);
  return (
    <Panel title="Served versions" flush>
      <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="Served versions">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Version</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Aliases</Table.Th>
              <Table.Th className="num">Share</Table.Th>
              {judged && <Table.Th>Canary</Table.Th>}
              <Table.Th>Runs in</Table.Th>
              <Table.Th className="num">One run</Table.Th>
              <Table.Th className="num">Memory</Table.Th>
              <Table.Th className="num">Waiting</Table.Th>
              <Table.Th>Batching</Table.Th>
              <Table.Th>Loaded</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {endpoint.versions.map((v) => (
              <Table.Tr key={`${v.version}${v.shadow}`}>
                <Table.Td className="nowrap">
                  {endpoint.source === 'registry' ? (
                    <Link to="/models/$model/versions/$version" params={{ model: endpoint.model, version: String(v.version) }} className="bn-link">
                      Version {v.version}
                    </Link>
                  ) : (
                    `Version ${v.version}`
                  )}
                </Table.Td>
                <Table.Td>
                  <State value={v.state} />
                  {v.error !== null && (
                    <Text size="xs" c="var(--bn-bad)" className="break" maw={420}>
                      {v.error}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{v.aliases.join(', ') || '–'}</Table.Td>
                <Table.Td className="num">{v.shadow ? 'shadow' : formatPercent(v.weight / 100)}</Table.Td>
                {judged && (
                  <Table.Td>
                    {v.canary === null ? (
                      '–'
                    ) : (
                      <>
                        <State value={v.canary.state} />
                        <Text size="xs" c="dimmed" maw={260} className="break">
                          {v.canary.text}
                        </Text>
                      </>
                    )}
                  </Table.Td>
                )}
                <Table.Td className="nowrap">{v.tier === null ? '–' : TIERS[v.tier]}</Table.Td>
                <Table.Td className="num nowrap">{v.runMicros === null ? '–' : formatDuration(v.runMicros / 1000)}</Table.Td>
                <Table.Td className="num nowrap">{v.memoryBytes === null ? '–' : formatBytes(v.memoryBytes)}</Table.Td>
                <Table.Td className="num">{v.queue === null ? '–' : formatInt(v.queue.waiting)}</Table.Td>
                <Table.Td>
                  {v.queue === null ? (
                    '–'
                  ) : (
                    <Tooltip label={v.queue.why} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
                      <span tabIndex={0}>{v.queue.merging ? 'on' : 'off'}</span>
                    </Tooltip>
                  )}
                </Table.Td>
                <Table.Td>
                  <Time at={v.loadedAt} ago />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {endpoint.versions.length === 0 && (
        <Text c="dimmed" size="sm" p="md">
          Nothing is loaded.
        </Text>
      )}
    </Panel>
  );
}
