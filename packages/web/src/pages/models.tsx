import { Badge, Button, Group, Table, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconBox, IconSearch } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { LIVE, useModels } from '../app/api.ts';
import { modelSnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { Time } from '../ui/bits.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatInt, plural } from '../ui/format.ts';
import { Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/models');
const SHOWN = 300;

export function ModelsPage() {
  const server = useServer();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const list = useModels(search.q, { refetchInterval: LIVE.slow });
  const [limit, setLimit] = useState(SHOWN);
  const setQuery = useDebouncedCallback((q: string) => void navigate({ search: { q: q === '' ? undefined : q }, replace: true }), 200);
  return (
    <Page title="Models">
      <QueryView query={list}>
        {(models) =>
          models.length === 0 && search.q === undefined ? (
            <EmptyState icon={<IconBox size={30} />} title="Register the first model" snippets={modelSnippets(server)}>
              A registered model holds versions; an alias such as <code>champion</code> says which one is in use, and gates decide whether it may move. ONNX
              files are served as they are.
            </EmptyState>
          ) : (
            <>
              <TextInput
                aria-label="Search models"
                placeholder="Search by name"
                defaultValue={search.q ?? ''}
                onChange={(e) => setQuery(e.currentTarget.value)}
                leftSection={<IconSearch size={14} aria-hidden />}
                w={260}
              />
              {models.length === 0 ? (
                <Text c="dimmed" size="sm">
                  No model matches.
                </Text>
              ) : (
                <Panel title="Registered models" flush>
                  <Table highlightOnHover>
                    <Table.Thead>
                      <Table.Tr>
                        <Table.Th>Name</Table.Th>
                        <Table.Th>Aliases</Table.Th>
                        <Table.Th className="num">Versions</Table.Th>
                        <Table.Th>Endpoints</Table.Th>
                        <Table.Th className="hide-narrow">Gates</Table.Th>
                        <Table.Th className="hide-narrow">Changed</Table.Th>
                      </Table.Tr>
                    </Table.Thead>
                    <Table.Tbody>
                      {models.slice(0, limit).map((m) => (
                        <Table.Tr key={m.name}>
                          <Table.Td className="break">
                            <Link to="/models/$model" params={{ model: m.name }} className="bn-link" style={{ fontWeight: 600 }}>
                              {m.name}
                            </Link>
                            {m.description !== '' && (
                              <Text size="xs" c="dimmed" lineClamp={1} component="div">
                                {m.description}
                              </Text>
                            )}
                          </Table.Td>
                          <Table.Td>
                            <Group gap={4}>
                              {Object.entries(m.aliases).map(([alias, version]) => (
                                <Badge key={alias}>
                                  {alias} → v{version}
                                </Badge>
                              ))}
                            </Group>
                          </Table.Td>
                          <Table.Td className="num">{formatInt(m.versionCount)}</Table.Td>
                          <Table.Td>
                            {m.endpoints.length === 0
                              ? '–'
                              : m.endpoints.map((e) => (
                                  <div key={e}>
                                    <Link to="/endpoints/$endpoint" params={{ endpoint: e }} className="bn-link">
                                      {e}
                                    </Link>
                                  </div>
                                ))}
                          </Table.Td>
                          <Table.Td className="hide-narrow">
                            {m.gatePolicy === null
                              ? '–'
                              : (['signature', 'golden', 'metric', 'latency'] as const).filter((g) => m.gatePolicy?.[g] !== undefined).join(', ')}
                          </Table.Td>
                          <Table.Td className="hide-narrow">
                            <Time at={m.updatedAt} ago />
                          </Table.Td>
                        </Table.Tr>
                      ))}
                    </Table.Tbody>
                  </Table>
                  {models.length > limit && (
                    <Group p="sm">
                      <Button variant="default" onClick={() => setLimit(limit + 1000)}>
                        Show more
                      </Button>
                      <Text size="xs" c="dimmed">
                        {formatInt(limit)} of {plural(models.length, 'model')}
                      </Text>
                    </Group>
                  )}
                </Panel>
              )}
            </>
          )
        }
      </QueryView>
    </Page>
  );
}
