import type { RunDetail } from '@binnacle/contract';
import { Button, Group, Tabs, Text, Textarea } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useState } from 'react';
import { Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { Markdown } from '../markdown/index.tsx';
import { useAction } from '../use-action.ts';

/** A run's note: Markdown, written in place beside how it will read. */
export function NotePanel({ run }: { run: RunDetail }) {
  const [draft, setDraft] = useState<string | undefined>();
  const [tab, setTab] = useState<string | null>('write');
  const save = useAction('updateRun', { done: 'Note saved', onSuccess: () => setDraft(undefined) });
  const beside = { runId: run.id, folder: '' };
  const edit = () => {
    setTab('write');
    setDraft(run.note);
  };
  return (
    <Panel
      title="Note"
      actions={
        draft === undefined && (
          <Button variant="subtle" leftSection={<IconPencil size={14} aria-hidden />} onClick={edit}>
            {run.note === '' ? 'Write' : 'Edit'}
          </Button>
        )
      }
    >
      {draft === undefined && run.note === '' && (
        <Text size="sm" c="dimmed">
          What was this run for? What came out?
        </Text>
      )}
      {draft === undefined && run.note !== '' && <Markdown text={run.note} beside={beside} breaks />}
      {draft !== undefined && (
        <form
          onSubmit={(e) => {
            e.preventDefault();
            save.mutate({ params: { runId: run.id }, body: { note: draft } });
          }}
        >
          <Tabs value={tab} onChange={setTab} keepMounted={false}>
            <Tabs.List mb="xs" aria-label="Note">
              <Tabs.Tab value="write">Write</Tabs.Tab>
              <Tabs.Tab value="preview">Preview</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="write">
              <Textarea
                aria-label="Note"
                autosize
                minRows={6}
                maxRows={24}
                value={draft}
                onChange={(e) => setDraft(e.currentTarget.value)}
                maxLength={100_000}
                description="Markdown. Pictures and links may name artifacts of this run, as in ![loss](plots/loss.png)."
                inputWrapperOrder={['label', 'input', 'description', 'error']}
              />
            </Tabs.Panel>
            <Tabs.Panel value="preview">
              {draft.trim() === '' ? (
                <Text size="sm" c="dimmed">
                  Nothing to preview.
                </Text>
              ) : (
                <Markdown text={draft} beside={beside} breaks />
              )}
            </Tabs.Panel>
          </Tabs>
          {save.isError && <ErrorState error={save.error} compact />}
          <Group gap="xs" mt="xs">
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
            <Button variant="subtle" color="gray" onClick={() => setDraft(undefined)}>
              Cancel
            </Button>
          </Group>
        </form>
      )}
    </Panel>
  );
}
