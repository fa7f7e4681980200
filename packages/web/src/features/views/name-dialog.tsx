import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { problemOf } from '../../app/api.ts';

/** Asks for a view's name; one that is taken must be replaced knowingly. */
export function NameDialog({
  title,
  start,
  taken,
  error,
  pending,
  onClose,
  onName,
}: {
  title: string;
  start: string;
  taken: readonly string[];
  error: unknown;
  pending: boolean;
  onClose: () => void;
  onName: (name: string, replace: boolean) => void;
}) {
  const [draft, setDraft] = useState(start);
  const name = draft.trim();
  const replaces = taken.includes(name);
  const problem = error === null || error === undefined ? undefined : problemOf(error).detail;
  return (
    <Modal opened onClose={onClose} title={title} size="sm" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (name !== '') onName(name, replaces);
        }}
      >
        <Stack>
          <TextInput
            data-autofocus
            label="Name"
            value={draft}
            onChange={(e) => setDraft(e.currentTarget.value)}
            maxLength={200}
            description={replaces ? 'There is a view of this name: it will be replaced.' : undefined}
            error={problem}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={name === '' || name === start} loading={pending} color={replaces ? 'red' : undefined}>
              {replaces ? 'Replace' : 'Save'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
