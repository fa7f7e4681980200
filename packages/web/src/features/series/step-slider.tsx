import { ActionIcon, Group, Slider, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { formatNumber, formatTime } from '../../ui/format.ts';

/** Picks one of the steps at which something was logged; arrows move by one. */
export function StepSlider({
  label,
  steps,
  timestamps,
  index,
  onIndex,
}: {
  label: string;
  steps: readonly number[];
  timestamps: readonly number[];
  index: number;
  onIndex: (index: number) => void;
}) {
  const last = steps.length - 1;
  const at = `step ${formatNumber(steps[index])}`;
  return (
    <Group gap="xs" wrap="nowrap" my="xs">
      <ActionIcon aria-label={`${label}: the step before`} disabled={index <= 0} onClick={() => onIndex(index - 1)}>
        <IconChevronLeft size={16} aria-hidden />
      </ActionIcon>
      <Slider
        style={{ flex: '1 1 auto', minWidth: 60 }}
        min={0}
        max={Math.max(1, last)}
        step={1}
        disabled={last < 1}
        value={index}
        onChange={onIndex}
        label={(i) => `step ${formatNumber(steps[i])}`}
        thumbLabel={label}
        thumbProps={{ 'aria-valuetext': at }}
      />
      <ActionIcon aria-label={`${label}: the step behind`} disabled={index >= last} onClick={() => onIndex(index + 1)}>
        <IconChevronRight size={16} aria-hidden />
      </ActionIcon>
      <Text size="xs" className="nowrap" title={formatTime(timestamps[index])} miw={92} ta="right" aria-live="polite">
        {at}
      </Text>
    </Group>
  );
}
