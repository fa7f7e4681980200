import type { EndpointDetail } from '@binnacle/contract';
import { Button, Group, SegmentedControl, Stack, Text, Textarea } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { client } from '../../app/api.ts';
import { CodeBlock, Snippets } from '../../ui/code.tsx';
import { formatDuration } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { requestSnippets } from '../snippets/index.ts';
import { useServer } from '../snippets/use-server.ts';

type Protocol = 'invocations' | 'open-inference';

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
  const send = useMutation({
    mutationFn: async () => {
      const from = performance.now();
      const response = await client.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const text = await response.text();
      const ms = performance.now() - from;
      let pretty = text;
      try {
        pretty = JSON.stringify(JSON.parse(text), null, 2);
      } catch {
        // Shown as it came.
      }
      return { ms, pretty, id: response.headers.get('x-request-id') };
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
        }
      >
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
            <Button leftSection={<IconPlayerPlay size={15} aria-hidden />} loading={send.isPending} onClick={() => send.mutate()}>
              Send
            </Button>
            {drafts[protocol] !== undefined && (
              <Button variant="default" onClick={() => setDrafts((d) => ({ ...d, [protocol]: undefined }))}>
                Back to the sample
              </Button>
            )}
            {endpoint.sample === null && (
              <Text size="xs" c="dimmed">
                The model declares no signature to make a sample from.
              </Text>
            )}
          </Group>
        </Stack>
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
              <CodeBlock code={send.data.pretty} label="response" />
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
