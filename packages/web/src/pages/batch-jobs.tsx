import { Button, Group, Table, Text } from '@mantine/core';
import { IconPlus, IconStack2 } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { client, LIVE } from '../app/api.ts';
import { NewJobDialog } from '../features/batch/new-job.tsx';
import { JobProgress } from '../features/batch/progress.tsx';
import { batchSnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { State, Time } from '../ui/bits.tsx';
import { Elapsed } from '../ui/elapsed.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatCompact } from '../ui/format.ts';
import { Page, Panel } from '../ui/page.tsx';
import { ErrorState, Loading } from '../ui/states.tsx';

const route = getRouteApi('/batch');

export function BatchJobsPage() {
  const server = useServer();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const list = useInfiniteQuery({
    queryKey: ['listBatchJobs', search.new === true ? undefined : search.model],
    queryFn: ({ pageParam, signal }) =>
      client.call('listBatchJobs', { query: { limit: 100, pageToken: pageParam, model: search.new === true ? undefined : search.model }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextPageToken,
    refetchInterval: (q) =>
      q.state.data?.pages.some((p) => p.jobs.some((j) => j.state === 'running' || j.state === 'queued')) === true ? LIVE.fast : LIVE.slow,
  });
  const jobs = list.data?.pages.flatMap((p) => p.jobs);
  return (
    <Page
      title="Batch jobs"
      actions={
        <Button leftSection={<IconPlus size={15} aria-hidden />} onClick={() => void navigate({ search: { new: true } })}>
          New batch job
        </Button>
      }
    >
      {list.isError && <ErrorState error={list.error} retry={list.refetch} />}
      {jobs === undefined && !list.isError && (
        <Panel>
          <Loading />
        </Panel>
      )}
      {jobs !== undefined && jobs.length === 0 && (
        <EmptyState icon={<IconStack2 size={30} />} title="Score a file" snippets={batchSnippets(server)}>
          Most models need no real time. A batch job streams CSV, JSON Lines or Parquet through a model, in chunks that can be resumed, with flat memory.
        </EmptyState>
      )}
      {jobs !== undefined && jobs.length > 0 && (
        <Panel title={search.model !== undefined && search.new !== true ? `Jobs of ${search.model}` : 'All jobs'} flush>
          <Table highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Job</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Progress</Table.Th>
                <Table.Th className="num">Rows/s</Table.Th>
                <Table.Th className="num">Took</Table.Th>
                <Table.Th>Input</Table.Th>
                <Table.Th>Created</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {jobs.map((job) => (
                <Table.Tr key={job.id}>
                  <Table.Td>
                    <Link to="/batch/$jobId" params={{ jobId: job.id }} className="bn-link">
                      {job.model} v{job.version}
                    </Link>
                    <br />
                    <Text span size="xs" c="dimmed" className="mono">
                      {job.id}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <State value={job.state} />
                    {job.error !== null && (
                      <Text size="xs" c="var(--bn-bad)" lineClamp={2} maw={260} title={job.error}>
                        {job.error}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <JobProgress job={job} />
                  </Table.Td>
                  <Table.Td className="num">{formatCompact(job.rowsPerSecond === null ? null : Math.round(job.rowsPerSecond))}</Table.Td>
                  <Table.Td className="num">
                    <Elapsed from={job.startedAt} to={job.endedAt} />
                  </Table.Td>
                  <Table.Td style={{ maxWidth: 260 }}>
                    <span className="clip" style={{ display: 'block' }} title={job.spec.input}>
                      {job.spec.input}
                    </span>
                  </Table.Td>
                  <Table.Td>
                    <Time at={job.createdAt} ago />
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
      {search.new === true && <NewJobDialog model={search.model} onClose={() => void navigate({ search: {} })} />}
    </Page>
  );
}
