import type { EndpointConfig, EndpointDetail } from '@binnacle/contract';
import { Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';
import { type Guard, readConfig, withGuard, withHeader } from './config-form.ts';
import { GuardField } from './guard-field.tsx';
import { REPOSITORY_OWNS } from './traffic.ts';

const shown = (config: EndpointConfig): string => JSON.stringify(config, null, 2);

/** How the endpoint runs what it serves: the guard of canaries and the split as fields, everything as JSON. */
export function ConfigEditor({ endpoint }: { endpoint: EndpointDetail }) {
  const [text, setText] = useState(() => shown(endpoint.config));
  const save = useAction('deployEndpoint', { done: 'Configuration changed' });
  const read = useMemo(() => readConfig(text), [text]);
  const config = 'config' in read ? read.config : undefined;
  const guard = config?.canaryGuard;
  const setGuard = (change: { [K in keyof Guard]: Guard[K] | undefined }) => {
    if (config !== undefined) setText(shown(withGuard(config, change)));
  };
  const cookie = config?.routing?.cookie;
  const disabled = config === undefined;
  const isChanged = text !== shown(endpoint.config);
  return (
    <Panel title="Configuration">
      <Stack gap="sm">
        <Text size="sm" fw={600}>
          Roll a canary back by itself when …
        </Text>
        <Group align="flex-end" gap="sm">
          <GuardField
            label="more requests fail by"
            suffix=" %"
            scale={100}
            min={0}
            max={100}
            w={170}
            disabled={disabled}
            value={guard?.errorRate}
            onChange={(errorRate) => setGuard({ errorRate })}
          />
          <GuardField
            label="its p99 is more than"
            suffix=" times"
            min={1}
            step={0.5}
            w={170}
            disabled={disabled}
            value={guard?.latencyP99}
            onChange={(latencyP99) => setGuard({ latencyP99 })}
          />
          <GuardField
            label="its outputs differ by"
            description="Jensen-Shannon distance"
            min={0}
            max={1}
            step={0.05}
            w={190}
            disabled={disabled}
            value={guard?.driftDistance}
            onChange={(driftDistance) => setGuard({ driftDistance })}
          />
        </Group>
        <TextInput
          label="Divide the traffic by the header"
          description={
            cookie === undefined
              ? 'The same value gets the same version. Empty: each request is drawn.'
              : `The same value gets the same version. A request without the header is divided by the cookie ${cookie}; the JSON below names it.`
          }
          placeholder="X-User"
          maw={360}
          disabled={disabled}
          value={config?.routing?.header ?? ''}
          onChange={(e) => config !== undefined && setText(shown(withHeader(config, e.currentTarget.value.trim())))}
        />
        <Textarea
          label="Everything"
          description="Batching, limits, cache, isolation, execution providers: docs/serving.md names the keys. What is absent is chosen by measurement or by the server's defaults."
          autosize
          minRows={6}
          maxRows={24}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          spellCheck={false}
          error={'problem' in read ? read.problem : undefined}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12.5 } }}
        />
        {save.isError && <ErrorState error={save.error} />}
        <Group>
          <Button
            loading={save.isPending}
            disabled={disabled || !isChanged || endpoint.source !== 'registry'}
            onClick={() =>
              save.mutate({
                params: { endpoint: endpoint.name },
                body: { model: endpoint.model, traffic: endpoint.traffic, config: (config ?? {}) as EndpointConfig },
              })
            }
          >
            Apply
          </Button>
          <Button
            variant="default"
            disabled={!isChanged}
            onClick={() => {
              setText(shown(endpoint.config));
              save.reset();
            }}
          >
            Undo
          </Button>
          {endpoint.source === 'repository' && (
            <Text size="sm" c="dimmed">
              {REPOSITORY_OWNS}
            </Text>
          )}
        </Group>
      </Stack>
    </Panel>
  );
}
