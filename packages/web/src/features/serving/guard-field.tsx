import { NumberInput } from '@mantine/core';
import { useState } from 'react';
import { typedNumber } from './config-form.ts';

/**
 * One number of the configuration. What is typed stays as it is typed ("0." is on its way to 0.2); the configuration changes only by what lies
 * within the bounds. Once the configuration says another number (it was edited as JSON, or undone), the field shows that one.
 */
export function GuardField({
  value,
  scale = 1,
  min,
  max,
  onChange,
  ...shown
}: {
  label: string;
  description?: string;
  suffix?: string;
  step?: number;
  w: number;
  disabled: boolean;
  value: number | undefined;
  /** The field shows the value times this. */
  scale?: number;
  min: number;
  max?: number;
  onChange: (value: number | undefined) => void;
}) {
  const [typed, setTyped] = useState<{ text: number | string; over: number | undefined } | undefined>();
  const own = typed !== undefined && typed.over === value ? typed.text : undefined;
  const bounds = { min, max };
  return (
    <NumberInput
      {...shown}
      min={min}
      {...(max === undefined ? {} : { max })}
      value={own ?? (value === undefined ? '' : Number((value * scale).toPrecision(6)))}
      error={own !== undefined && typedNumber(own, bounds) === undefined ? (max === undefined ? `${min} or more` : `${min} to ${max}`) : undefined}
      onChange={(text) => {
        const number = typedNumber(text, bounds);
        const next = number === undefined ? value : number === null ? undefined : number / scale;
        setTyped({ text, over: next });
        if (next !== value) onChange(next);
      }}
    />
  );
}
