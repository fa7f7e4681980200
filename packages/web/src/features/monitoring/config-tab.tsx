import type { MonitorConfig } from '@binnacle/contract';
import { Button, Group, NativeSelect, NumberInput, Slider, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';

const WINDOWS = [
  ['1 hour', 3600],
  ['6 hours', 21_600],
  ['1 day', 86_400],
  ['1 week', 604_800],
] as const;
const FIGURES = [
  ['js', 'JS distance'],
  ['w1n', 'Wasserstein (normed)'],
  ['ks', 'KS'],
  ['psi', 'PSI'],
] as const;

export function ConfigTab({ endpoint, config, features }: { endpoint: string; config: MonitorConfig; features: string[] }) {
  const [draft, setDraft] = useState(config);
  const save = useAction('setMonitorConfig', { done: 'Monitor changed' });
  const set = (change: Partial<MonitorConfig>) => setDraft((d) => ({ ...d, ...change }));
  const known = WINDOWS.some(([, seconds]) => seconds === draft.windowSeconds);
  const text = (value: string) => (value.trim() === '' ? undefined : value.trim());
  return (
    <Panel title="Monitor">
      <form
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate({ params: { endpoint }, body: draft });
        }}
      >
        <Stack gap="md" maw={640}>
          <Group grow align="flex-start">
            <NativeSelect
              label="Drift window"
              value={String(draft.windowSeconds)}
              onChange={(e) => set({ windowSeconds: Number(e.currentTarget.value) })}
              data={[
                ...WINDOWS.map(([label, seconds]) => ({ value: String(seconds), label })),
                ...(known ? [] : [{ value: String(draft.windowSeconds), label: `${draft.windowSeconds} s` }]),
              ]}
            />
            <NumberInput
              label="Windows in a row"
              description="that must drift before an alarm"
              inputWrapperOrder={['label', 'input', 'description']}
              min={1}
              max={10}
              value={draft.consecutiveWindows}
              onChange={(v) => typeof v === 'number' && set({ consecutiveWindows: v })}
            />
            <NumberInput
              label="Rows at least"
              description="fewer are insufficient data"
              inputWrapperOrder={['label', 'input', 'description']}
              min={10}
              thousandSeparator
              value={draft.minimumRows}
              onChange={(v) => typeof v === 'number' && set({ minimumRows: v })}
            />
          </Group>
          <TagsInput
            label="Left out of drift"
            description="Calendar features, for instance."
            data={features}
            value={draft.excludedFeatures}
            onChange={(excludedFeatures) => set({ excludedFeatures })}
          />
          <Group grow>
            {FIGURES.map(([key, label]) => (
              <NumberInput
                key={key}
                label={label}
                min={0.001}
                step={0.01}
                decimalScale={4}
                value={draft.thresholds[key]}
                onChange={(v) => typeof v === 'number' && v > 0 && set({ thresholds: { ...draft.thresholds, [key]: v } })}
              />
            ))}
          </Group>
          <div>
            <Text size="xs" fw={500} id="sampling-label">
              Requests whose rows are logged and profiled: {Math.round(draft.samplingFraction * 100)}%
            </Text>
            <Slider
              mt={6}
              size="sm"
              min={0.01}
              max={1}
              step={0.01}
              value={draft.samplingFraction}
              onChange={(samplingFraction) => set({ samplingFraction })}
              label={(v) => `${Math.round(v * 100)}%`}
              thumbProps={{ 'aria-labelledby': 'sampling-label' }}
            />
            <Text size="xs" c="dimmed" mt={4}>
              Counts and latency are never sampled.
            </Text>
          </div>
          <Group grow align="flex-start">
            <TextInput
              label="Score output"
              placeholder="found by itself"
              value={draft.scoreOutput ?? ''}
              onChange={(e) => set({ scoreOutput: text(e.currentTarget.value) })}
            />
            <TextInput
              label="Label output"
              placeholder="found by itself"
              value={draft.labelOutput ?? ''}
              onChange={(e) => set({ labelOutput: text(e.currentTarget.value) })}
            />
            <TextInput
              label="Positive label"
              placeholder="1 or true"
              value={draft.positiveLabel === undefined ? '' : String(draft.positiveLabel)}
              onChange={(e) => {
                const value = text(e.currentTarget.value);
                set({
                  positiveLabel:
                    value === undefined
                      ? undefined
                      : value === 'true'
                        ? true
                        : value === 'false'
                          ? false
                          : Number.isFinite(Number(value))
                            ? Number(value)
                            : value,
                });
              }}
            />
          </Group>
          {save.isError && <ErrorState error={save.error} />}
          <Group>
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
            <Button
              variant="default"
              onClick={() => {
                setDraft(config);
                save.reset();
              }}
            >
              Undo
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
