import type { GateReport } from '@binnacle/contract';
import { Group, Table, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { Time } from '../../ui/bits.tsx';
import { formatNumber } from '../../ui/format.ts';

const GATES = { signature: 'Signature', golden: 'Golden examples', metric: 'Metric', latency: 'Latency' } as const;

/** Passed, refused or forced, in words and with a sign. */
export function GateVerdict({ report }: { report: GateReport | null }) {
  if (report === null)
    return (
      <Text span c="dimmed" size="sm">
        not run
      </Text>
    );
  if (report.passed)
    return (
      <Group gap={5} wrap="nowrap" c="var(--bn-good)">
        <IconCircleCheck size={16} aria-hidden />
        <span>passed</span>
      </Group>
    );
  const failed = report.results
    .filter((r) => !r.passed)
    .map((r) => r.gate)
    .join(', ');
  return report.forced ? (
    <Group gap={5} wrap="nowrap" c="var(--bn-warn)">
      <IconAlertTriangle size={16} aria-hidden />
      <span>forced past {failed}</span>
    </Group>
  ) : (
    <Group gap={5} wrap="nowrap" c="var(--bn-bad)">
      <IconCircleX size={16} aria-hidden />
      <span>failed: {failed}</span>
    </Group>
  );
}

/** Every gate of a report: passed or not, the figure and its bound, and what was checked. */
export function GateReportView({ report }: { report: GateReport }) {
  return (
    <div>
      <Group gap="md" mb={6}>
        <Text size="sm" fw={600}>
          Version {report.version}
          {report.alias !== null && <> for {report.alias}</>}
        </Text>
        <Text size="sm" component="div">
          <GateVerdict report={report} />
        </Text>
        <Text size="xs" c="dimmed" component="div">
          <Time at={report.createdAt} />
        </Text>
      </Group>
      {report.reason !== null && report.reason !== '' && (
        <Text size="sm" mb={6}>
          Reason given: {report.reason}
        </Text>
      )}
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Gate</Table.Th>
            <Table.Th>Result</Table.Th>
            <Table.Th className="num">Figure</Table.Th>
            <Table.Th className="num">Bound</Table.Th>
            <Table.Th>What was checked</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {report.results.map((r) => (
            <Table.Tr key={r.gate}>
              <Table.Td>{GATES[r.gate]}</Table.Td>
              <Table.Td>
                {r.passed ? (
                  <Group gap={5} wrap="nowrap" c="var(--bn-good)">
                    <IconCircleCheck size={15} aria-hidden />
                    pass
                  </Group>
                ) : (
                  <Group gap={5} wrap="nowrap" c="var(--bn-bad)">
                    <IconCircleX size={15} aria-hidden />
                    fail
                  </Group>
                )}
              </Table.Td>
              <Table.Td className="num">{formatNumber(r.measured)}</Table.Td>
              <Table.Td className="num">{formatNumber(r.bound)}</Table.Td>
              <Table.Td className="break" style={{ minWidth: 180 }}>
                {r.message}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
