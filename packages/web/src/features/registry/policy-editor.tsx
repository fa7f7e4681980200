import type { GatePolicy } from '@binnacle/contract';
import { Button, Fieldset, Group, NativeSelect, NumberInput, Stack, Switch, TagsInput, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { KeyValues, Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';

const START: GatePolicy = { aliases: ['champion'], signature: {}, golden: { tolerance: 1e-4, required: true } };
const numberOr = (value: string | number, fallback: number): number => (typeof value === 'number' && Number.isFinite(value) ? value : fallback);

/** What a version must pass before a guarded alias moves to it. */
export function PolicyPanel({ model, policy }: { model: string; policy: GatePolicy | null }) {
  const [draft, setDraft] = useState<GatePolicy | undefined>();
  const save = useAction('setGatePolicy', { done: 'Gate policy saved', onSuccess: () => setDraft(undefined) });
  if (draft === undefined) {
    return (
      <Panel
        title="Gate policy"
        actions={
          <Button variant="default" onClick={() => setDraft(policy ?? START)}>
            {policy === null ? 'Set up gates' : 'Edit'}
          </Button>
        }
      >
        {policy === null ? (
          <Text c="dimmed" size="sm">
            No gates: any version may take any alias. Gates check signature, golden examples, a metric against the champion, and latency before an alias moves.
          </Text>
        ) : (
          <KeyValues
            items={[
              ['Guards', policy.aliases.join(', ')],
              ['Signature', policy.signature === undefined ? 'not checked' : 'must be present'],
              [
                'Golden examples',
                policy.golden === undefined ? 'not checked' : `within ${policy.golden.tolerance}${policy.golden.required ? ', must exist' : ', if they exist'}`,
              ],
              [
                'Metric',
                policy.metric === undefined
                  ? 'not checked'
                  : `${policy.metric.key}: ${policy.metric.direction} is better, at most ${policy.metric.margin} worse than the champion${policy.metric.atLeast === undefined ? '' : `, ${policy.metric.direction === 'higher' ? 'at least' : 'at most'} ${policy.metric.atLeast}`}`,
              ],
              [
                'Latency',
                policy.latency === undefined
                  ? 'not checked'
                  : `p95 of ${policy.latency.rows} ${policy.latency.rows === 1 ? 'row' : 'rows'} within ${policy.latency.p95Ms} ms over ${policy.latency.runs} runs`,
              ],
            ]}
          />
        )}
      </Panel>
    );
  }
  const set = (change: Partial<GatePolicy>) => setDraft({ ...draft, ...change });
  const { golden, metric, latency } = draft;
  return (
    <Panel title="Gate policy">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate({ params: { model }, body: { policy: draft } });
        }}
      >
        <Stack gap="sm" maw={620}>
          <TagsInput label="Guarded aliases" value={draft.aliases} onChange={(aliases) => set({ aliases })} />
          <Switch
            label="A signature must be present"
            checked={draft.signature !== undefined}
            onChange={(e) => set({ signature: e.currentTarget.checked ? {} : undefined })}
          />
          <Switch
            label="Golden examples must reproduce"
            checked={golden !== undefined}
            onChange={(e) => set({ golden: e.currentTarget.checked ? { tolerance: 1e-4, required: true } : undefined })}
          />
          {golden !== undefined && (
            <Fieldset>
              <Group align="flex-end">
                <NumberInput
                  label="Tolerance"
                  min={0}
                  step={0.0001}
                  value={golden.tolerance}
                  onChange={(v) => set({ golden: { ...golden, tolerance: numberOr(v, golden.tolerance) } })}
                />
                <Switch
                  label="A version without them fails"
                  checked={golden.required}
                  onChange={(e) => set({ golden: { ...golden, required: e.currentTarget.checked } })}
                />
              </Group>
            </Fieldset>
          )}
          <Switch
            label="A metric must hold against the champion"
            checked={metric !== undefined}
            onChange={(e) => set({ metric: e.currentTarget.checked ? { key: '', direction: 'higher', margin: 0 } : undefined })}
          />
          {metric !== undefined && (
            <Fieldset>
              <Group align="flex-end">
                <TextInput label="Metric of the run" required value={metric.key} onChange={(e) => set({ metric: { ...metric, key: e.currentTarget.value } })} />
                <NativeSelect
                  label="Better is"
                  value={metric.direction}
                  onChange={(e) => set({ metric: { ...metric, direction: e.currentTarget.value as 'higher' | 'lower' } })}
                  data={['higher', 'lower']}
                />
                <NumberInput
                  label="Margin"
                  min={0}
                  step={0.001}
                  value={metric.margin}
                  onChange={(v) => set({ metric: { ...metric, margin: numberOr(v, metric.margin) } })}
                  w={110}
                />
                <NumberInput
                  label={metric.direction === 'higher' ? 'At least' : 'At most'}
                  value={metric.atLeast ?? ''}
                  step={0.01}
                  onChange={(v) => set({ metric: { ...metric, atLeast: typeof v === 'number' ? v : undefined } })}
                  w={110}
                  placeholder="no bound"
                />
              </Group>
            </Fieldset>
          )}
          <Switch
            label="Latency must stay in a budget"
            checked={latency !== undefined}
            onChange={(e) => set({ latency: e.currentTarget.checked ? { p95Ms: 10, rows: 1, runs: 50 } : undefined })}
          />
          {latency !== undefined && (
            <Fieldset>
              <Group>
                <NumberInput
                  label="p95 (ms)"
                  min={0.001}
                  value={latency.p95Ms}
                  onChange={(v) => set({ latency: { ...latency, p95Ms: numberOr(v, latency.p95Ms) } })}
                  w={110}
                />
                <NumberInput
                  label="Rows a run"
                  min={1}
                  max={10000}
                  value={latency.rows}
                  onChange={(v) => set({ latency: { ...latency, rows: numberOr(v, latency.rows) } })}
                  w={110}
                />
                <NumberInput
                  label="Runs"
                  min={5}
                  max={1000}
                  value={latency.runs}
                  onChange={(v) => set({ latency: { ...latency, runs: numberOr(v, latency.runs) } })}
                  w={110}
                />
              </Group>
            </Fieldset>
          )}
          {save.isError && <ErrorState error={save.error} compact />}
          <Group>
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
            <Button variant="default" onClick={() => setDraft(undefined)}>
              Cancel
            </Button>
            {policy !== null && (
              <Button variant="subtle" color="red" onClick={() => save.mutate({ params: { model }, body: { policy: null } })}>
                Remove all gates
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
