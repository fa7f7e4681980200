import { EndpointConfig, type EndpointDetail } from '@binnacle/contract';
import { Button, Group, NumberInput, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';

/** What is wrong with the text of a configuration, or the configuration. */
export function readConfig(text: string): { config: EndpointConfig } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `Not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const parsed = EndpointConfig.safeParse(value);
  if (parsed.success) return { config: parsed.data };
  const [issue] = parsed.error.issues;
  return { problem: `${issue?.path.join('.') || 'The configuration'}: ${issue?.message ?? 'is not valid'}` };
}

const shown = (config: EndpointConfig): string => JSON.stringify(config, null, 2);
const toNumber = (value: number | string): number | undefined => (typeof value === 'number' ? value : undefined);

/** An object without what is undefined; undefined when nothing is left. */
function compact<T extends object>(value: T): T | undefined {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as T);
}

/** How the endpoint runs what it serves: the guard of canaries and the split as fields, everything as JSON. */
export function ConfigEditor({ endpoint }: { endpoint: EndpointDetail }) {
  const [text, setText] = useState(() => shown(endpoint.config));
  const save = useAction('deployEndpoint', { done: 'Configuration changed' });
  const read = useMemo(() => readConfig(text), [text]);
  const config = 'config' in read ? read.config : undefined;
  const guard = config?.canaryGuard;
  const setGuard = (change: Partial<NonNullable<EndpointConfig['canaryGuard']>>) => {
    if (config !== undefined) setText(shown({ ...config, canaryGuard: compact({ ...guard, ...change }) }));
  };
  const setHeader = (header: string) => {
    if (config !== undefined) setText(shown({ ...config, routing: header === '' ? undefined : { ...config.routing, by: 'header', header } }));
  };
  const disabled = config === undefined;
  return (
    <Panel title="Configuration">
      <Stack gap="sm">
        <Text size="sm" fw={600}>
          Roll a canary back by itself when …
        </Text>
        <Group align="flex-end" gap="sm">
          <NumberInput
            label="more requests fail by"
            suffix=" %"
            min={0}
            max={100}
            w={170}
            disabled={disabled}
            value={guard?.errorRate === undefined ? '' : Number((guard.errorRate * 100).toPrecision(6))}
            onChange={(v) => setGuard({ errorRate: toNumber(v) === undefined ? undefined : (toNumber(v) as number) / 100 })}
          />
          <NumberInput
            label="its p99 is more than"
            suffix=" times"
            min={1}
            step={0.5}
            w={170}
            disabled={disabled}
            value={guard?.latencyP99 ?? ''}
            onChange={(v) => setGuard({ latencyP99: toNumber(v) })}
          />
          <NumberInput
            label="its outputs differ by"
            description="Jensen-Shannon distance"
            min={0}
            max={1}
            step={0.05}
            w={190}
            disabled={disabled}
            value={guard?.driftDistance ?? ''}
            onChange={(v) => setGuard({ driftDistance: toNumber(v) })}
          />
        </Group>
        <TextInput
          label="Divide the traffic by the header"
          description="The same value gets the same version. Empty: each request is drawn."
          placeholder="X-User"
          maw={360}
          disabled={disabled}
          value={config?.routing?.header ?? ''}
          onChange={(e) => setHeader(e.currentTarget.value.trim())}
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
            disabled={disabled || endpoint.source !== 'registry'}
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
            onClick={() => {
              setText(shown(endpoint.config));
              save.reset();
            }}
          >
            Undo
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}
