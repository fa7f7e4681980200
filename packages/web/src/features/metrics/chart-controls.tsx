import { Button, Group, Slider, Switch, Text } from '@mantine/core';
import { IconZoomReset } from '@tabler/icons-react';
import { useState } from 'react';

/** Smoothing, log axis and the zoom of a page of charts. */
export function ChartControls({
  smoothing,
  onSmoothing,
  log,
  onLog,
  zoomed,
  onReset,
}: {
  smoothing: number;
  onSmoothing: (value: number) => void;
  log?: boolean;
  onLog?: (log: boolean) => void;
  zoomed: boolean;
  onReset: () => void;
}) {
  const [draft, setDraft] = useState(smoothing);
  return (
    <Group gap="md">
      <Group gap="xs">
        <Text size="xs" c="dimmed" id="smoothing-label">
          Smoothing
        </Text>
        <Slider
          w={110}
          size="sm"
          min={0}
          max={0.99}
          step={0.01}
          value={draft}
          onChange={setDraft}
          onChangeEnd={onSmoothing}
          label={(v) => v.toFixed(2)}
          thumbProps={{ 'aria-labelledby': 'smoothing-label' }}
        />
      </Group>
      {onLog !== undefined && <Switch label="Log axis" checked={log === true} onChange={(e) => onLog(e.currentTarget.checked)} />}
      {zoomed && (
        <Button variant="default" leftSection={<IconZoomReset size={14} aria-hidden />} onClick={onReset}>
          Whole range
        </Button>
      )}
    </Group>
  );
}
