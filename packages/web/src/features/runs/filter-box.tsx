import { ActionIcon, Code, Popover, Stack, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconFilter, IconHelp, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { problemOf } from '../../app/api.ts';

const EXAMPLES = [
  'metrics.val_auc > 0.65',
  "params.model = 'boosted' AND metrics.loss < 0.5",
  "attributes.status = 'RUNNING'",
  "tags.`mlflow.user` LIKE '%ana%'",
  "attributes.run_name ILIKE '%night%'",
  "datasets.name = 'flights'",
];

/** MLflow's filter grammar; Enter applies it, and what the server has against it stands below. */
export function FilterBox({ value, onApply, error }: { value: string; onApply: (filter: string) => void; error: unknown }) {
  const [draft, setDraft] = useState(value);
  // Another filter came by the URL (back, an example): it replaces what is being typed.
  const [shown, setShown] = useState(value);
  if (shown !== value) {
    setShown(value);
    setDraft(value);
  }
  const problem = error === null || error === undefined ? undefined : problemOf(error);
  return (
    <TextInput
      style={{ flex: '1 1 260px' }}
      aria-label="Filter runs"
      placeholder="metrics.val_auc > 0.65 AND params.model = 'boosted'"
      value={draft}
      onChange={(e) => setDraft(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key === 'Enter') onApply(draft.trim());
      }}
      onBlur={() => {
        if (draft.trim() !== value) onApply(draft.trim());
      }}
      error={problem?.detail}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      spellCheck={false}
      autoComplete="off"
      leftSection={<IconFilter size={14} aria-hidden />}
      rightSectionWidth={54}
      rightSection={
        <>
          {draft !== '' && (
            <ActionIcon
              size="xs"
              aria-label="Clear the filter"
              onClick={() => {
                setDraft('');
                onApply('');
              }}
            >
              <IconX size={12} aria-hidden />
            </ActionIcon>
          )}
          <Popover position="bottom-end" width={430} shadow="md" trapFocus returnFocus>
            <Popover.Target>
              <ActionIcon size="sm" aria-label="How to filter">
                <IconHelp size={15} aria-hidden />
              </ActionIcon>
            </Popover.Target>
            <Popover.Dropdown>
              <Stack gap={6}>
                <Text size="sm">
                  The filter grammar of MLflow. Text goes in single quotes, keys with odd characters in backticks, conditions are joined by AND.
                </Text>
                {EXAMPLES.map((example) => (
                  <UnstyledButton key={example} onClick={() => onApply(example)} aria-label={`Filter by ${example}`}>
                    <Code>{example}</Code>
                  </UnstyledButton>
                ))}
              </Stack>
            </Popover.Dropdown>
          </Popover>
        </>
      }
    />
  );
}
