import { Badge, Button, Group, Table, Text } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { LIVE, useApi } from '../app/api.ts';
import { AliasDialog } from '../features/registry/alias-dialog.tsx';
import { GateReportView } from '../features/registry/gate-report.tsx';
import { SpecTable } from '../features/registry/specs.tsx';
import { useAction } from '../features/use-action.ts';
import { State, Time } from '../ui/bits.tsx';
import { formatBytes, formatNumber, plural } from '../ui/format.ts';
import { KeyValues, Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/models/$model/versions/$version');
const grid = { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(400px, 100%), 1fr))', gap: 14, alignItems: 'start' } as const;

export function VersionPage() {
  const params = route.useParams();
  const navigate = route.useNavigate();
  const model = params.model;
  const version = Number(params.version);
  const query = useApi('getVersion', { params: { model, version } }, { refetchInterval: LIVE.slow });
  const registered = useApi('getModel', { params: { model } });
  const reports = useApi('listGateReports', { params: { model, version } });
  const [moving, setMoving] = useState(false);
  const gates = useAction('runGates', { notifyError: true, done: (r) => (r.passed ? 'Every gate passes' : 'A gate fails; the report is below') });
  const remove = useAction('deleteVersion', {
    notifyError: true,
    done: 'Version deleted',
    onSuccess: () => void navigate({ to: '/models/$model', params: { model } }),
  });

  return (
    <Page
      title={`${model} version ${params.version}`}
      crumbs={[
        { label: 'Models', link: { to: '/models' } },
        { label: model, link: { to: '/models/$model', params: { model } } },
        { label: `Version ${params.version}` },
      ]}
      badge={query.data?.aliases.map((a) => <Badge key={a}>{a}</Badge>)}
      description={query.data?.description}
      actions={
        query.data !== undefined && (
          <>
            <Button onClick={() => setMoving(true)}>Move an alias here</Button>
            <Button variant="default" loading={gates.isPending} onClick={() => gates.mutate({ params: { model, version }, body: {} })}>
              Run the gates
            </Button>
            <Button
              variant="subtle"
              color="red"
              onClick={() => {
                if (confirm(`Delete version ${version} of ${model}?`)) remove.mutate({ params: { model, version } });
              }}
            >
              Delete
            </Button>
          </>
        )
      }
    >
      <QueryView query={query} lines={10}>
        {(v) => (
          <>
            <div style={grid}>
              <Panel title="Details">
                <KeyValues
                  items={[
                    ['Status', <State key="s" value={v.status} />],
                    ...(v.statusMessage === '' ? [] : [['Message', v.statusMessage] as [string, string]]),
                    [
                      'Made by',
                      v.runId === null ? (
                        'pushed without a run'
                      ) : (
                        <Link key="r" to="/runs/$runId" params={{ runId: v.runId }} className="bn-link">
                          {v.runName ?? v.runId}
                        </Link>
                      ),
                    ],
                    ['Created', <Time key="c" at={v.createdAt} />],
                    ['Kind', v.flavors.join(', ') || '–'],
                    ['Servable here', v.servable ? 'yes' : 'no: it has no ONNX graph'],
                    ['Size', formatBytes(v.sizeBytes)],
                    ['Golden examples', v.goldenExamples === 0 ? 'none' : plural(v.goldenExamples, 'example')],
                    ['Training profile', v.hasProfile ? 'yes, drift is measured against it' : 'none: the first window of traffic becomes the baseline'],
                    [
                      'Source',
                      <code key="o" className="break">
                        {v.source}
                      </code>,
                    ],
                    ...Object.entries(v.tags).map(([key, value]) => [`Tag ${key}`, value] as [string, string]),
                  ]}
                />
              </Panel>
              <Panel title="Metrics of its run" flush>
                {Object.keys(v.metrics).length === 0 ? (
                  <Text c="dimmed" size="sm" p="md">
                    None.
                  </Text>
                ) : (
                  <Table>
                    <Table.Tbody>
                      {Object.entries(v.metrics)
                        .sort(([a], [b]) => a.localeCompare(b))
                        .map(([key, value]) => (
                          <Table.Tr key={key}>
                            <Table.Td className="break">{key}</Table.Td>
                            <Table.Td className="num" title={String(value)}>
                              {formatNumber(value)}
                            </Table.Td>
                          </Table.Tr>
                        ))}
                    </Table.Tbody>
                  </Table>
                )}
              </Panel>
              <Panel title="Signature" flush>
                {v.signature === null ? (
                  <Text c="dimmed" size="sm" p="md">
                    It declares none.
                  </Text>
                ) : (
                  <>
                    <SpecTable title="Input" specs={v.signature.inputs} />
                    <SpecTable title="Output" specs={v.signature.outputs} />
                  </>
                )}
              </Panel>
              {v.tensors !== null && (
                <Panel title="Tensors of the ONNX graph" flush>
                  <SpecTable title="Input" specs={v.tensors.inputs} />
                  <SpecTable title="Output" specs={v.tensors.outputs} />
                </Panel>
              )}
              <Panel title="Files" flush>
                {v.files.length === 0 ? (
                  <Text c="dimmed" size="sm" p="md">
                    None.
                  </Text>
                ) : (
                  <Table>
                    <Table.Tbody>
                      {v.files.map((f) => (
                        <Table.Tr key={f.path}>
                          <Table.Td className="break">
                            <code>
                              {f.path}
                              {f.isDirectory ? '/' : ''}
                            </code>
                          </Table.Td>
                          <Table.Td className="num">{f.isDirectory ? '' : formatBytes(f.size)}</Table.Td>
                        </Table.Tr>
                      ))}
                    </Table.Tbody>
                  </Table>
                )}
              </Panel>
            </div>
            <Panel title="Gate reports" flush>
              <QueryView query={reports} lines={3}>
                {({ reports: all }) => (
                  <Group p="md" gap="lg">
                    {all.length === 0 ? (
                      <Text c="dimmed" size="sm">
                        The gates have not run on this version.
                      </Text>
                    ) : (
                      all.map((r) => (
                        <div key={r.id} style={{ width: '100%' }}>
                          <GateReportView report={r} />
                        </div>
                      ))
                    )}
                  </Group>
                )}
              </QueryView>
            </Panel>
          </>
        )}
      </QueryView>
      {moving && (
        <AliasDialog
          model={model}
          version={version}
          versions={registered.data?.versions.map((v) => v.version) ?? [version]}
          aliases={Object.keys(registered.data?.aliases ?? {})}
          guarded={registered.data?.gatePolicy?.aliases ?? []}
          onClose={() => setMoving(false)}
        />
      )}
    </Page>
  );
}
