import { Button, Group, Modal, SegmentedControl, Stack, Table, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback, useDisclosure } from '@mantine/hooks';
import { IconFlask, IconPlus, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { client, LIVE } from '../app/api.ts';
import type { View } from '../app/search.ts';
import { useAction } from '../features/use-action.ts';
import { trackingSnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { Time } from '../ui/bits.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatInt } from '../ui/format.ts';
import { Page, Panel } from '../ui/page.tsx';
import { ErrorState, Loading } from '../ui/states.tsx';

const route = getRouteApi('/experiments');

export function ExperimentsPage() {
  const server = useServer();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [creating, dialog] = useDisclosure(false);
  const query = { q: search.q, view: search.view ?? ('active' as const), limit: 200 };
  const list = useInfiniteQuery({
    queryKey: ['listExperiments', query],
    queryFn: ({ pageParam, signal }) => client.call('listExperiments', { query: { ...query, pageToken: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextPageToken,
    refetchInterval: LIVE.slow,
  });
  const setQuery = useDebouncedCallback((q: string) => void navigate({ search: (s) => ({ ...s, q: q === '' ? undefined : q }), replace: true }), 200);
  const experiments = list.data?.pages.flatMap((p) => p.experiments);
  const pristine = experiments !== undefined && search.q === undefined && (search.view ?? 'active') === 'active' && experiments.every((e) => e.runCount === 0);

  return (
    <Page
      title="Experiments"
      actions={
        <Button leftSection={<IconPlus size={15} aria-hidden />} onClick={dialog.open}>
          New experiment
        </Button>
      }
    >
      <Group gap="sm">
        <TextInput
          aria-label="Search experiments"
          placeholder="Search by name"
          defaultValue={search.q ?? ''}
          onChange={(e) => setQuery(e.currentTarget.value)}
          leftSection={<IconSearch size={14} aria-hidden />}
          w={260}
        />
        <SegmentedControl
          aria-label="Which experiments"
          value={search.view ?? 'active'}
          onChange={(view) => void navigate({ search: (s) => ({ ...s, view: view === 'active' ? undefined : (view as View) }) })}
          data={[
            { value: 'active', label: 'Active' },
            { value: 'deleted', label: 'Deleted' },
            { value: 'all', label: 'All' },
          ]}
        />
      </Group>
      {list.isError && <ErrorState error={list.error} retry={list.refetch} />}
      {experiments === undefined && !list.isError && (
        <Panel>
          <Loading />
        </Panel>
      )}
      {pristine && (
        <EmptyState icon={<IconFlask size={30} />} title="Log the first run" snippets={trackingSnippets(server)}>
          Every MLflow client works here as it is: point it to this server and train. Params, metrics, datasets and models appear while it runs.
        </EmptyState>
      )}
      {experiments !== undefined && experiments.length === 0 && !pristine && <Text c="dimmed">No experiment matches.</Text>}
      {experiments !== undefined && experiments.length > 0 && (
        <Panel title="All experiments" flush>
          <Table highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th className="num">Runs</Table.Th>
                <Table.Th>Last run</Table.Th>
                <Table.Th className="hide-narrow">Created</Table.Th>
                <Table.Th className="hide-narrow">Id</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {experiments.map((e) => (
                <Table.Tr key={e.id}>
                  <Table.Td className="break">
                    <Link to="/experiments/$experimentId" params={{ experimentId: e.id }} className="bn-link">
                      {e.name}
                    </Link>
                    {e.lifecycleStage === 'deleted' && (
                      <Text span c="dimmed" size="xs">
                        {' '}
                        (deleted)
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td className="num">{formatInt(e.runCount)}</Table.Td>
                  <Table.Td>
                    <Time at={e.lastRunAt} ago />
                  </Table.Td>
                  <Table.Td className="hide-narrow">
                    <Time at={e.createdAt} />
                  </Table.Td>
                  <Table.Td className="hide-narrow">
                    <Text span size="xs" c="dimmed" className="mono">
                      {e.id}
                    </Text>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Panel>
      )}
      {list.hasNextPage && (
        <Group>
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Load more
          </Button>
        </Group>
      )}
      <NewExperiment opened={creating} onClose={dialog.close} />
    </Page>
  );
}

function NewExperiment({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [name, setName] = useState('');
  const navigate = route.useNavigate();
  const create = useAction('createExperiment', {
    done: 'Experiment created',
    onSuccess: (e) => void navigate({ to: '/experiments/$experimentId', params: { experimentId: e.id } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ body: { name: name.trim() } });
  };
  return (
    <Modal opened={opened} onClose={onClose} title="New experiment" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label="Name" size="sm" value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus required maxLength={500} />
          {create.isError && <ErrorState error={create.error} compact />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending} disabled={name.trim() === ''}>
              Create
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
