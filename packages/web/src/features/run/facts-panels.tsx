import type { RunDetail } from '@binnacle/contract';
import { Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { formatInt } from '../../ui/format.ts';
import { KeyValues, Panel } from '../../ui/page.tsx';
import { SOURCE_TAGS } from './source.ts';

export function ModelsPanel({ run }: { run: RunDetail }) {
  if (run.models.length === 0) return null;
  return (
    <Panel title="Models" flush>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Logged model</Table.Th>
            <Table.Th>Registered as</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {run.models.map((m) => (
            <Table.Tr key={m.modelId}>
              <Table.Td className="break">
                <Link to="/runs/$runId" params={{ runId: run.id }} search={{ tab: 'artifacts', model: m.modelId }} className="bn-link inline" title="Its files">
                  {m.name === '' ? m.modelId : m.name}
                </Link>
                <br />
                <Text span size="xs" c="dimmed">
                  {m.modelId}
                </Text>
              </Table.Td>
              <Table.Td>
                {m.versions.length === 0
                  ? '–'
                  : m.versions.map((v) => (
                      <div key={`${v.name}/${v.version}`}>
                        <Link to="/models/$model/versions/$version" params={{ model: v.name, version: String(v.version) }} className="bn-link">
                          {v.name} v{v.version}
                        </Link>
                      </div>
                    ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}

export function DatasetsPanel({ run }: { run: RunDetail }) {
  if (run.datasets.length === 0) return null;
  return (
    <Panel title="Datasets" flush>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Use</Table.Th>
            <Table.Th>Digest</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {run.datasets.map((d) => (
            <Table.Tr key={`${d.name}/${d.digest}/${d.context}`}>
              <Table.Td className="break">
                {d.name}
                <br />
                <Text span size="xs" c="dimmed">
                  {d.sourceType}
                </Text>
              </Table.Td>
              <Table.Td>{d.context ?? '–'}</Table.Td>
              <Table.Td>
                <code>{d.digest}</code>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}

/** Tags that have another place on the page. */
const ELSEWHERE: ReadonlySet<string> = new Set(['mlflow.note.content', 'mlflow.log-model.history', ...SOURCE_TAGS]);

export function TagsPanel({ run }: { run: RunDetail }) {
  const tags = Object.entries(run.tags)
    .filter(([key]) => !ELSEWHERE.has(key))
    .sort(([a], [b]) => a.localeCompare(b));
  return (
    <Panel title={`Tags (${formatInt(tags.length)})`}>
      {tags.length === 0 ? (
        <Text c="dimmed" size="sm">
          No tags.
        </Text>
      ) : (
        <KeyValues
          items={tags.map(([key, value]) => [
            key,
            <span key={key} className="break">
              {value.length > 600 ? `${value.slice(0, 600)} …` : value}
            </span>,
          ])}
        />
      )}
    </Panel>
  );
}
