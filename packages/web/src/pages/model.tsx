import type { ModelVersion } from '@binnacle/contract';
import { ActionIcon, Badge, Button, Group, Menu, Stack, Table, Tabs, Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconDots, IconX } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { LIVE, useApi } from '../app/api.ts';
import type { ModelSearch } from '../app/search.ts';
import { LineageGraph } from '../features/lineage/lineage-graph.tsx';
import { AliasDialog } from '../features/registry/alias-dialog.tsx';
import { GateReportView, GateVerdict } from '../features/registry/gate-report.tsx';
import { PolicyPanel } from '../features/registry/policy-editor.tsx';
import { modelSnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { useAction } from '../features/use-action.ts';
import { State, Time } from '../ui/bits.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatBytes } from '../ui/format.ts';
import { Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/models/$model');

export function ModelPage() {
  const server = useServer();
  const { model } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useApi('getModel', { params: { model } }, { refetchInterval: LIVE.slow });
  const lineage = useApi('getLineage', { params: { model } }, { enabled: search.tab === 'lineage' });
  const [moving, setMoving] = useState<number | undefined>();
  const gates = useAction('runGates', {
    notifyError: true,
    done: (r) =>
      r.passed
        ? `Version ${r.version} passes every gate`
        : `Version ${r.version} fails ${r.results
            .filter((g) => !g.passed)
            .map((g) => g.gate)
            .join(', ')}`,
  });
  const unalias = useAction('deleteAlias', { notifyError: true, done: 'Alias removed' });
  const remove = useAction('deleteModel', { notifyError: true, done: `${model} deleted`, onSuccess: () => void navigate({ to: '/models' }) });
  const data = query.data;

  return (
    <Page
      title={model}
      crumbs={[{ label: 'Models', link: { to: '/models' } }, { label: model }]}
      description={data?.description}
      actions={
        data !== undefined && (
          <>
            {data.versions.length > 0 && <Button onClick={() => setMoving(data.versions[0]?.version ?? 1)}>Move an alias</Button>}
            <Button variant="default" onClick={() => void navigate({ to: '/endpoints', search: { deploy: true, model } })}>
              Deploy
            </Button>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size="md" aria-label="More actions">
                  <IconDots size={15} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => void navigate({ to: '/batch', search: { new: true, model } })}>New batch job</Menu.Item>
                <Menu.Item
                  color="red"
                  onClick={() => {
                    if (confirm(`Delete ${model} and its ${data.versionCount} versions?`)) remove.mutate({ params: { model } });
                  }}
                >
                  Delete the model
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )
      }
    >
      <QueryView query={query} lines={8}>
        {(m) => (
          <Tabs
            value={search.tab ?? 'versions'}
            onChange={(tab) => void navigate({ search: { tab: tab === 'versions' ? undefined : (tab as ModelSearch['tab']) } })}
            keepMounted={false}
          >
            <Tabs.List mb="md">
              <Tabs.Tab value="versions">Versions</Tabs.Tab>
              <Tabs.Tab value="gates">Gates</Tabs.Tab>
              <Tabs.Tab value="lineage">Lineage</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="versions">
              {m.versions.length === 0 ? (
                <EmptyState title="No versions yet" snippets={modelSnippets(server, model)}>
                  Push an ONNX file or register a logged model.
                </EmptyState>
              ) : (
                <Stack gap="md">
                  <Panel title="Aliases">
                    {Object.keys(m.aliases).length === 0 ? (
                      <Text c="dimmed" size="sm">
                        None yet. An endpoint that follows an alias swaps without a failed request when it moves.
                      </Text>
                    ) : (
                      <Group gap="xs">
                        {Object.entries(m.aliases).map(([alias, version]) => (
                          <Badge
                            key={alias}
                            size="lg"
                            variant="light"
                            rightSection={
                              <ActionIcon
                                size={14}
                                variant="transparent"
                                color="gray"
                                aria-label={`Remove the alias ${alias}`}
                                onClick={() => unalias.mutate({ params: { model, alias } })}
                              >
                                <IconX size={12} aria-hidden />
                              </ActionIcon>
                            }
                          >
                            {alias} → v{version}
                          </Badge>
                        ))}
                        {m.endpoints.length > 0 && (
                          <Text size="sm" c="dimmed" component="span" className="inline">
                            served by{' '}
                            {m.endpoints.map((e, i) => (
                              <span key={e}>
                                {i > 0 && ', '}
                                <Link to="/endpoints/$endpoint" params={{ endpoint: e }} className="bn-link">
                                  {e}
                                </Link>
                              </span>
                            ))}
                          </Text>
                        )}
                      </Group>
                    )}
                  </Panel>
                  <Panel title="Versions" flush>
                    <Versions
                      model={model}
                      versions={m.versions}
                      onMove={setMoving}
                      onGates={(version) => gates.mutate({ params: { model, version }, body: {} })}
                      busy={gates.isPending}
                    />
                  </Panel>
                </Stack>
              )}
            </Tabs.Panel>
            <Tabs.Panel value="gates">
              <Stack gap="md">
                <PolicyPanel model={model} policy={m.gatePolicy} />
                <Panel title="Latest report of each version" flush>
                  <Stack gap="lg" p="md">
                    {m.versions
                      .filter((v) => v.lastGateReport !== null)
                      .map((v) => v.lastGateReport !== null && <GateReportView key={v.version} report={v.lastGateReport} />)}
                    {m.versions.every((v) => v.lastGateReport === null) && (
                      <Text c="dimmed" size="sm">
                        The gates have not run.
                      </Text>
                    )}
                  </Stack>
                </Panel>
              </Stack>
            </Tabs.Panel>
            <Tabs.Panel value="lineage">
              <Panel title="From dataset to endpoint">
                <QueryView query={lineage}>{(l) => <LineageGraph lineage={l} />}</QueryView>
              </Panel>
            </Tabs.Panel>
          </Tabs>
        )}
      </QueryView>
      {moving !== undefined && data !== undefined && (
        <AliasDialog
          model={model}
          version={moving}
          versions={data.versions.map((v) => v.version)}
          aliases={Object.keys(data.aliases)}
          guarded={data.gatePolicy?.aliases ?? []}
          onClose={() => setMoving(undefined)}
        />
      )}
    </Page>
  );
}

function Versions({
  model,
  versions,
  onMove,
  onGates,
  busy,
}: {
  model: string;
  versions: ModelVersion[];
  onMove: (version: number) => void;
  onGates: (version: number) => void;
  busy: boolean;
}) {
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Version</Table.Th>
          <Table.Th>Aliases</Table.Th>
          <Table.Th>Gates</Table.Th>
          <Table.Th>Made by</Table.Th>
          <Table.Th className="hide-narrow">Kind</Table.Th>
          <Table.Th className="num hide-narrow">Size</Table.Th>
          <Table.Th>Created</Table.Th>
          <Table.Th>
            <VisuallyHidden>Actions</VisuallyHidden>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {versions.map((v) => (
          <Table.Tr key={v.version}>
            <Table.Td>
              <Link to="/models/$model/versions/$version" params={{ model, version: String(v.version) }} className="bn-link">
                Version {v.version}
              </Link>
              {v.status !== 'READY' && (
                <div title={v.statusMessage}>
                  <State value={v.status} />
                </div>
              )}
            </Table.Td>
            <Table.Td>
              <Group gap={4}>
                {v.aliases.map((a) => (
                  <Badge key={a}>{a}</Badge>
                ))}
              </Group>
            </Table.Td>
            <Table.Td>
              <GateVerdict report={v.lastGateReport} />
            </Table.Td>
            <Table.Td className="break">
              {v.runId === null ? (
                <Text span c="dimmed" size="sm">
                  pushed
                </Text>
              ) : (
                <Link to="/runs/$runId" params={{ runId: v.runId }} className="bn-link">
                  {v.runName ?? v.runId}
                </Link>
              )}
            </Table.Td>
            <Table.Td className="hide-narrow">
              {v.flavors.join(', ') || '–'}
              {!v.servable && (
                <Tooltip label="Has no ONNX graph, so it cannot be served here">
                  <Text span size="xs" c="dimmed">
                    {' '}
                    not servable
                  </Text>
                </Tooltip>
              )}
            </Table.Td>
            <Table.Td className="num hide-narrow">{formatBytes(v.sizeBytes)}</Table.Td>
            <Table.Td>
              <Time at={v.createdAt} ago />
            </Table.Td>
            <Table.Td className="num">
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon size="sm" aria-label={`Actions of version ${v.version}`}>
                    <IconDots size={15} aria-hidden />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => onMove(v.version)}>Move an alias here</Menu.Item>
                  <Menu.Item disabled={busy} onClick={() => onGates(v.version)}>
                    Run the gates
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
