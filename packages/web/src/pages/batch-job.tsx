import { Button, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { client, LIVE, useApi } from '../app/api.ts';
import { JobProgress } from '../features/batch/progress.tsx';
import { useAction } from '../features/use-action.ts';
import { useFinalLook } from '../features/use-final-look.ts';
import { CopyIcon, State, Time } from '../ui/bits.tsx';
import { Elapsed } from '../ui/elapsed.tsx';
import { formatBytes, formatCompact, formatDuration, formatInt, formatPercent } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { KeyValues, Page, Panel, Stats } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/batch/$jobId');
const KINDS = { part: 'part', errors: 'bad rows', merged: 'merged', marker: 'marker', manifest: 'manifest' } as const;

export function BatchJobPage() {
  const { jobId } = route.useParams();
  const query = useApi(
    'getBatchJob',
    { params: { jobId } },
    { refetchInterval: (q) => (q.state.data?.state === 'running' || q.state.data?.state === 'queued' ? 1_000 : LIVE.slow) },
  );
  const job = query.data;
  const active = job?.state === 'running' || job?.state === 'queued';
  const files = useApi('listBatchFiles', { params: { jobId } }, { refetchInterval: active ? 3_000 : false });
  useFinalLook(job === undefined ? undefined : active, ['listBatchFiles']);
  const cancel = useAction('cancelBatchJob', { notifyError: true, done: 'Stopping after the chunks in flight' });
  const resume = useAction('resumeBatchJob', { notifyError: true, done: 'Going on where it stopped' });
  return (
    <Page
      title={job === undefined ? 'Batch job' : `${job.model} v${job.version}`}
      crumbs={[{ label: 'Batch jobs', link: { to: '/batch' } }, { label: jobId }]}
      badge={job !== undefined && <State value={job.state} />}
      actions={
        <>
          {active && (
            <Button variant="default" color="red" loading={cancel.isPending} onClick={() => cancel.mutate({ params: { jobId } })}>
              Cancel
            </Button>
          )}
          {(job?.state === 'failed' || job?.state === 'cancelled') && (
            <Button loading={resume.isPending} onClick={() => resume.mutate({ params: { jobId } })}>
              Resume
            </Button>
          )}
        </>
      }
    >
      <QueryView query={query} lines={8}>
        {(data) => {
          return (
            <Stack gap="md">
              {data.error !== null && (
                <Notice tone="bad" title="The job failed">
                  <span style={{ whiteSpace: 'pre-wrap' }} className="break">
                    {data.error}
                  </span>
                </Notice>
              )}
              <Panel>
                <Stack gap="md">
                  <JobProgress job={data} size="lg" />
                  <Stats
                    items={[
                      { label: 'Rows', value: formatInt(data.rowsDone), hint: data.rowsTotal === null ? undefined : `of ${formatInt(data.rowsTotal)}` },
                      { label: 'Rows/s', value: formatCompact(data.rowsPerSecond === null ? null : Math.round(data.rowsPerSecond)) },
                      {
                        label: active ? 'Time left' : 'Took',
                        value: active ? (
                          formatDuration(data.etaSeconds === null ? null : data.etaSeconds * 1000)
                        ) : (
                          <Elapsed from={data.startedAt} to={data.endedAt} />
                        ),
                      },
                      { label: 'Chunks', value: formatInt(data.chunksDone), hint: data.chunksTotal === null ? undefined : `of ${formatInt(data.chunksTotal)}` },
                      {
                        label: 'Bad rows',
                        value: formatInt(data.rowsFailed),
                        tone: data.rowsFailed > 0 ? 'warn' : undefined,
                        hint: data.rowsDone > 0 && data.rowsFailed > 0 ? formatPercent(data.rowsFailed / data.rowsDone, 3) : undefined,
                      },
                      { label: 'In the model', value: formatDuration(data.inferenceSeconds * 1000), hint: 'summed over workers' },
                    ]}
                  />
                  {data.message !== '' && (
                    <Text size="sm" c="dimmed" aria-live="polite">
                      {data.message}
                    </Text>
                  )}
                </Stack>
              </Panel>
              <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))', gap: 14, alignItems: 'start' }}>
                <Panel title="What it does">
                  <KeyValues
                    items={[
                      [
                        'Model',
                        <Link key="m" to="/models/$model/versions/$version" params={{ model: data.model, version: String(data.version) }} className="bn-link">
                          {data.model} v{data.version}
                        </Link>,
                      ],
                      ['Asked for', data.spec.alias === undefined ? `version ${data.spec.version ?? data.version}` : `@${data.spec.alias}`],
                      [
                        'Input',
                        <span key="i">
                          <code className="break">{data.spec.input}</code> ({data.spec.inputFormat})
                        </span>,
                      ],
                      [
                        'Output',
                        <span key="o">
                          <code className="break">{data.output}</code> <CopyIcon text={data.output} label="Copy the path" />
                        </span>,
                      ],
                      ['Output format', `${data.spec.outputFormat}${data.spec.singleFile ? ', one single file' : ', parts'}`],
                      ['Rows a chunk', formatInt(data.spec.chunkRows)],
                      ['Workers', data.spec.workers === undefined ? 'server default' : formatInt(data.spec.workers)],
                      ['Bad rows allowed', formatPercent(data.spec.maxErrorRate)],
                      [
                        'Monitoring',
                        data.spec.monitor
                          ? `a sample of each chunk${data.spec.timestampColumn === undefined ? '' : `, event time ${data.spec.timestampColumn}`}`
                          : 'off',
                      ],
                      ...(data.spec.where === undefined
                        ? []
                        : [
                            [
                              'Where',
                              <code key="w" className="break">
                                {data.spec.where}
                              </code>,
                            ] as [string, React.ReactNode],
                          ]),
                      ...(data.spec.select === undefined
                        ? []
                        : [
                            [
                              'Select',
                              <code key="s" className="break">
                                {data.spec.select}
                              </code>,
                            ] as [string, React.ReactNode],
                          ]),
                      ['Created', <Time key="c" at={data.createdAt} />],
                      ['Started', <Time key="t" at={data.startedAt} />],
                      ['Ended', <Time key="e" at={data.endedAt} />],
                    ]}
                  />
                </Panel>
                <Panel title="Files" flush>
                  <QueryView query={files} lines={3}>
                    {({ files: list }) =>
                      list.length === 0 ? (
                        <Text c="dimmed" size="sm" p="md">
                          None yet.
                        </Text>
                      ) : (
                        <div style={{ maxHeight: 460, overflow: 'auto' }} tabIndex={0} role="group" aria-label="Files">
                          <Table stickyHeader>
                            <Table.Thead>
                              <Table.Tr>
                                <Table.Th>Name</Table.Th>
                                <Table.Th>Kind</Table.Th>
                                <Table.Th className="num">Rows</Table.Th>
                                <Table.Th className="num">Size</Table.Th>
                                <Table.Th>
                                  <VisuallyHidden>Download</VisuallyHidden>
                                </Table.Th>
                              </Table.Tr>
                            </Table.Thead>
                            <Table.Tbody>
                              {list.map((file) => (
                                <Table.Tr key={file.name}>
                                  <Table.Td className="break">
                                    <code>{file.name}</code>
                                  </Table.Td>
                                  <Table.Td>{KINDS[file.kind]}</Table.Td>
                                  <Table.Td className="num">{formatInt(file.rows)}</Table.Td>
                                  <Table.Td className="num">{formatBytes(file.bytes)}</Table.Td>
                                  <Table.Td className="num">
                                    <Button
                                      component="a"
                                      variant="subtle"
                                      size="compact-xs"
                                      aria-label={`Download ${file.name}`}
                                      href={client.url('getBatchFile', { params: { jobId }, query: { name: file.name } })}
                                      download={file.name.slice(file.name.lastIndexOf('/') + 1)}
                                    >
                                      <IconDownload size={14} aria-hidden />
                                    </Button>
                                  </Table.Td>
                                </Table.Tr>
                              ))}
                            </Table.Tbody>
                          </Table>
                        </div>
                      )
                    }
                  </QueryView>
                </Panel>
              </div>
            </Stack>
          );
        }}
      </QueryView>
    </Page>
  );
}
