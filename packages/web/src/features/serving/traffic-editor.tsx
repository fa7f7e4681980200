import { ActionIcon, Button, Group, NativeSelect, NumberInput, Stack, Switch, Table, Text, VisuallyHidden } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useApi } from '../../app/api.ts';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';
import { fromTarget, rebalance, refLabel, REPOSITORY_OWNS, type Target, toTarget, trafficProblem, trafficText } from './traffic.ts';
import type { EndpointDetail } from '@binnacle/contract';

/** Which versions or aliases of a model answer, with what share, and which only look on. */
export function TargetsForm({ model, targets, onChange }: { model: string; targets: Target[]; onChange: (targets: Target[]) => void }) {
  const registered = useApi('getModel', { params: { model } }, { enabled: model !== '' });
  const refs = [
    ...Object.keys(registered.data?.aliases ?? {}).map((a) => `alias:${a}`),
    ...(registered.data?.versions ?? []).map((v) => `version:${v.version}`),
  ];
  const choices = [...new Set([...targets.map((t) => t.ref), ...refs])];
  const set = (index: number, change: Partial<Target>) => onChange(targets.map((t, i) => (i === index ? { ...t, ...change } : t)));
  return (
    <Stack gap="xs">
      <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="Targets">
        <Table horizontalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Target</Table.Th>
              <Table.Th>Percent</Table.Th>
              <Table.Th>Shadow</Table.Th>
              <Table.Th>
                <VisuallyHidden>Remove</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {targets.map((t, i) => (
              // The index is the key: targets have no identity but their place.
              <Table.Tr key={i}>
                <Table.Td>
                  <NativeSelect
                    style={{ minWidth: 118 }}
                    aria-label={`Target ${i + 1}`}
                    value={t.ref}
                    onChange={(e) => set(i, { ref: e.currentTarget.value })}
                    data={choices.map((ref) => ({ value: ref, label: refLabel(ref) }))}
                  />
                </Table.Td>
                <Table.Td>
                  <NumberInput
                    aria-label={`Percent of ${refLabel(t.ref)}`}
                    min={0}
                    max={100}
                    step={5}
                    suffix=" %"
                    disabled={t.shadow}
                    value={t.shadow ? '' : t.weight}
                    onChange={(v) => typeof v === 'number' && onChange(rebalance(targets, i, v))}
                    w={84}
                  />
                </Table.Td>
                <Table.Td>
                  <Switch
                    aria-label={`${refLabel(t.ref)} is a shadow`}
                    checked={t.shadow}
                    onChange={(e) =>
                      onChange(e.currentTarget.checked ? giveAway(targets, i) : targets.map((x, k) => (k === i ? { ...x, shadow: false, weight: 0 } : x)))
                    }
                  />
                </Table.Td>
                <Table.Td>
                  <ActionIcon
                    aria-label={`Remove ${refLabel(t.ref)}`}
                    disabled={targets.length === 1}
                    onClick={() => onChange(giveAway(targets, i).filter((_, k) => k !== i))}
                  >
                    <IconTrash size={15} aria-hidden />
                  </ActionIcon>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Group gap="sm">
        <Button
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          disabled={refs.every((ref) => targets.some((t) => t.ref === ref))}
          onClick={() => onChange([...targets, { ref: refs.find((ref) => !targets.some((t) => t.ref === ref)) ?? '', weight: 0, shadow: false }])}
        >
          Add a target
        </Button>
        <Text size="xs" c="dimmed">
          A shadow gets a copy after the reply; its answer is only monitored. A target that names an alias follows it.
        </Text>
      </Group>
      {registered.isError && <ErrorState error={registered.error} compact />}
    </Stack>
  );
}

/** The target answers nothing any more; the others take its share. */
function giveAway(targets: Target[], index: number): Target[] {
  return rebalance(targets, index, 0).map((t, i) => (i === index ? { ...t, weight: 0, shadow: true } : t));
}

/** Who answers with what share. What a repository serves is changed in its folder: there it is told, not asked. */
export function TrafficEditor({ endpoint }: { endpoint: EndpointDetail }) {
  if (endpoint.source === 'registry') return <RegistryTraffic endpoint={endpoint} />;
  return (
    <Stack gap={4}>
      <Text size="sm">{trafficText(endpoint.traffic)}</Text>
      <Text size="xs" c="dimmed">
        {REPOSITORY_OWNS}
      </Text>
    </Stack>
  );
}

function RegistryTraffic({ endpoint }: { endpoint: EndpointDetail }) {
  const [targets, setTargets] = useState(() => endpoint.traffic.map(toTarget));
  const save = useAction('deployEndpoint', { done: 'Traffic changed' });
  const problem = trafficProblem(targets);
  const isChanged = JSON.stringify(targets) !== JSON.stringify(endpoint.traffic.map(toTarget));
  return (
    <Stack gap="sm">
      <TargetsForm model={endpoint.model} targets={targets} onChange={setTargets} />
      {save.isError && <ErrorState error={save.error} />}
      <Group>
        <Button
          loading={save.isPending}
          disabled={problem !== undefined || !isChanged}
          onClick={() =>
            save.mutate({
              params: { endpoint: endpoint.name },
              body: { model: endpoint.model, traffic: targets.map(fromTarget), description: endpoint.description },
            })
          }
        >
          Apply
        </Button>
        <Button
          variant="default"
          disabled={!isChanged}
          onClick={() => {
            setTargets(endpoint.traffic.map(toTarget));
            save.reset();
          }}
        >
          Undo
        </Button>
        {problem !== undefined && (
          <Text size="sm" c="var(--bn-bad)" role="alert">
            {problem}
          </Text>
        )}
      </Group>
    </Stack>
  );
}
