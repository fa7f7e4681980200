import type { EndpointDetail } from '@binnacle/contract';
import { imageInput, type Score, topScores } from '@binnacle/sdk';
import { Button, Group, SegmentedControl, Stack, Table, Text, Textarea } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { client } from '../../app/api.ts';
import { CodeBlock, Snippets } from '../../ui/code.tsx';
import { formatDuration, formatNumber } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { tableOf } from './table-form.ts';
import { TryImage } from './try-image.tsx';
import { TryTable } from './try-table.tsx';
import { textInput, TryText } from './try-text.tsx';
import { requestSnippets } from '../snippets/index.ts';
import { useServer } from '../snippets/use-server.ts';

type Protocol = 'invocations' | 'open-inference';
type Form = 'json' | 'table' | 'image' | 'text';
interface Sent {
  path: string;
  body: string | Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

const FORMS: Record<Form, string> = { table: 'Table', image: 'Image', text: 'Text', json: 'JSON' };

/** Sends a real request to the endpoint and shows the answer and how long it took. */
export function TryIt({ endpoint, protocol, onProtocol }: { endpoint: EndpointDetail; protocol: Protocol; onProtocol: (protocol: Protocol) => void }) {
  const server = useServer();
  const sample = useMemo(
    () => JSON.stringify(protocol === 'invocations' ? (endpoint.sample?.invocations ?? {}) : (endpoint.sample?.openInference ?? {}), null, 2),
    [endpoint.sample, protocol],
  );
  const [drafts, setDrafts] = useState<Partial<Record<Protocol, string>>>({});
  const body = drafts[protocol] ?? sample;
  const path =
    protocol === 'invocations' ? `/endpoints/${encodeURIComponent(endpoint.name)}/invocations` : `/v2/models/${encodeURIComponent(endpoint.name)}/infer`;
  const inferPath = `/v2/models/${encodeURIComponent(endpoint.name)}/infer`;
  const table = useMemo(() => tableOf(endpoint), [endpoint]);
  const image = useMemo(() => imageInput(endpoint.tensors?.inputs ?? []), [endpoint.tensors]);
  const text = useMemo(() => textInput(endpoint.tensors?.inputs ?? []), [endpoint.tensors]);
  const forms: Form[] = [
    ...(table === undefined ? [] : ['table' as const]),
    ...(image === undefined ? [] : ['image' as const]),
    ...(text === undefined ? [] : ['text' as const]),
    'json',
  ];
  const [chosen, setChosen] = useState<Form>('json');
  const form = forms.includes(chosen) ? chosen : 'json';
  const json = { 'content-type': 'application/json' };
  const send = useMutation({
    mutationFn: async (request: Sent) => {
      const from = performance.now();
      const response = await client.request(request.path, { method: 'POST', headers: request.headers, body: request.body });
      const text = await response.text();
      const ms = performance.now() - from;
      let pretty = text;
      let scores: Score[] | undefined;
      try {
        const reply: unknown = JSON.parse(text);
        scores = topScores(reply, 5, endpoint.labels);
        pretty = JSON.stringify(reply, null, 2);
      } catch {
        // Shown as it came.
      }
      return { ms, pretty, scores, id: response.headers.get('x-request-id') };
    },
  });
  const syntax = useMemo(() => {
    try {
      JSON.parse(body);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }, [body]);
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(430px, 100%), 1fr))', gap: 14, alignItems: 'start' }}>
      <Panel
        title="Request"
        actions={
          form === 'json' && (
            <SegmentedControl
              aria-label="Protocol"
              value={protocol}
              onChange={(p) => {
                onProtocol(p as Protocol);
                send.reset();
              }}
              data={[
                { value: 'invocations', label: 'MLflow scoring' },
                { value: 'open-inference', label: 'Open Inference' },
              ]}
            />
          )
        }
      >
        {forms.length > 1 && (
          <SegmentedControl
            aria-label="Form of the request"
            mb="sm"
            value={form}
            onChange={(f) => {
              setChosen(f as Form);
              send.reset();
            }}
            data={forms.map((f) => ({ value: f, label: FORMS[f] }))}
          />
        )}
        {form === 'table' && table !== undefined && (
          <TryTable
            // What was typed belongs to these columns; another version may have others.
            key={JSON.stringify(table.columns.map(({ name }) => name))}
            form={table}
            pending={send.isPending}
            onSend={(rows) => send.mutate({ path: `/endpoints/${encodeURIComponent(endpoint.name)}/invocations`, body: rows, headers: json })}
          />
        )}
        {form === 'image' && image !== undefined && (
          <TryImage
            input={image}
            pending={send.isPending}
            onSend={({ body: bytes, headerBytes }) =>
              send.mutate({
                path: inferPath,
                body: bytes,
                headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(headerBytes) },
              })
            }
          />
        )}
        {form === 'text' && text !== undefined && (
          <TryText input={text} pending={send.isPending} onSend={(lines) => send.mutate({ path: inferPath, body: lines, headers: json })} />
        )}
        {form === 'json' && (
          <Stack gap="sm">
            <Text size="xs" c="dimmed" className="break">
              <code>POST {path}</code>
            </Text>
            <Textarea
              aria-label="Body of the request"
              autosize
              minRows={10}
              maxRows={24}
              value={body}
              onChange={(e) => {
                const { value } = e.currentTarget;
                setDrafts((d) => ({ ...d, [protocol]: value }));
              }}
              spellCheck={false}
              error={syntax === undefined ? undefined : `Not JSON: ${syntax}`}
              styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12.5 } }}
            />
            <Group>
              <Button
                leftSection={<IconPlayerPlay size={15} aria-hidden />}
                loading={send.isPending}
                onClick={() => send.mutate({ path, body, headers: json })}
              >
                Send
              </Button>
              {drafts[protocol] !== undefined && (
                <Button variant="default" onClick={() => setDrafts((d) => ({ ...d, [protocol]: undefined }))}>
                  Back to the sample
                </Button>
              )}
              {endpoint.sample === null && (
                <Text size="xs" c="dimmed">
                  {endpoint.state === 'unloaded' ? 'A sample is made once the endpoint is loaded.' : 'The model declares no signature to make a sample from.'}
                </Text>
              )}
            </Group>
          </Stack>
        )}
      </Panel>
      <Stack gap={14} miw={0}>
        <Panel
          title="Response"
          actions={
            send.data !== undefined && (
              <Text size="xs" c="dimmed">
                {formatDuration(send.data.ms)} round trip{send.data.id !== null && <> · id {send.data.id}</>}
              </Text>
            )
          }
        >
          <div aria-live="polite">
            {send.isError ? (
              <ErrorState error={send.error} />
            ) : send.data === undefined ? (
              <Text c="dimmed" size="sm">
                Send the request to see the prediction. It counts as live traffic.
              </Text>
            ) : (
              <Stack gap="sm">
                {send.data.scores !== undefined && (form === 'image' || send.data.scores.some(({ label }) => label !== undefined)) && (
                  <Scores scores={send.data.scores} />
                )}
                <CodeBlock code={send.data.pretty} label="response" />
              </Stack>
            )}
          </div>
        </Panel>
        <Panel title="From your code">
          <Snippets snippets={requestSnippets(server, path, body)} label="Request in" />
        </Panel>
      </Stack>
    </div>
  );
}

/** The best classes of one row. */
function Scores({ scores }: { scores: Score[] }) {
  const most = Math.max(...scores.map(({ value }) => Math.abs(value)), Number.MIN_VALUE);
  return (
    <Table>
      <Table.Tbody>
        {scores.map(({ index, value, label }) => (
          <Table.Tr key={index}>
            <Table.Td className={label === undefined ? 'num' : 'break'}>{label ?? `class ${index}`}</Table.Td>
            <Table.Td style={{ width: '60%' }} aria-hidden>
              <div style={{ height: 8, borderRadius: 4, background: 'var(--bn-s1)', width: `${(Math.max(0, value) / most) * 100}%` }} />
            </Table.Td>
            <Table.Td className="num">{formatNumber(value)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
