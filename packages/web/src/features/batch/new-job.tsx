import { Autocomplete, Button, Collapse, Group, Modal, NativeSelect, NumberInput, Select, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { BatchSpecInput } from '@binnacle/contract';
import { useModels } from '../../app/api.ts';
import { ErrorState } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';

const FORMATS = ['auto', 'csv', 'jsonl', 'parquet'];

/** Starts a batch prediction over files that the server can read. */
export function NewJobDialog({ model: given, onClose }: { model: string | undefined; onClose: () => void }) {
  const models = useModels();
  const navigate = useNavigate();
  const [more, moreToggle] = useDisclosure(false);
  const [model, setModel] = useState(given ?? '');
  const [ref, setRef] = useState('@champion');
  const [spec, setSpec] = useState<Partial<BatchSpecInput>>({ input: '', output: '' });
  const create = useAction('createBatchJob', {
    done: 'The job is queued',
    onSuccess: (job) => void navigate({ to: '/batch/$jobId', params: { jobId: job.id } }),
  });
  const chosen = models.data?.find((m) => m.name === model);
  const refs =
    chosen === undefined
      ? []
      : [
          ...Object.keys(chosen.aliases).map((a) => `@${a}`),
          ...Array.from({ length: chosen.latestVersion ?? 0 }, (_, i) => String((chosen.latestVersion ?? 0) - i)),
        ];
  const set = (change: Partial<BatchSpecInput>) => setSpec((s) => ({ ...s, ...change }));
  const textOf = (value: string) => (value.trim() === '' ? undefined : value.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const which = ref.startsWith('@') ? { alias: ref.slice(1) } : { version: Number(ref) };
    create.mutate({ body: { ...spec, model, ...which, input: spec.input?.trim() ?? '', output: spec.output?.trim() ?? '' } });
  };
  const ready =
    model !== '' && (ref.startsWith('@') ? ref.length > 1 : Number(ref) >= 1) && (spec.input ?? '').trim() !== '' && (spec.output ?? '').trim() !== '';
  return (
    <Modal opened onClose={onClose} title="New batch job" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Group grow align="flex-start">
            <Select
              label="Model"
              required
              searchable
              value={model === '' ? null : model}
              onChange={(value) => setModel(value ?? '')}
              data={(models.data ?? []).map((m) => m.name)}
              limit={200}
              nothingFoundMessage={models.isPending ? 'Loading …' : 'No such model'}
            />
            <Autocomplete size="xs" label="Version or @alias" required value={ref} onChange={setRef} data={refs} />
          </Group>
          <TextInput
            label="Input"
            required
            value={spec.input ?? ''}
            onChange={(e) => set({ input: e.currentTarget.value })}
            description="A file, folder or glob on the server: CSV, JSON Lines or Parquet."
            placeholder="/data/april/*.parquet"
          />
          <TextInput
            label="Output"
            required
            value={spec.output ?? ''}
            onChange={(e) => set({ output: e.currentTarget.value })}
            description={spec.singleFile === true ? 'The file to write.' : 'A folder; parts and _SUCCESS go there.'}
            placeholder={spec.singleFile === true ? '/data/april-scored.parquet' : '/data/april-scored'}
          />
          <Group gap="lg">
            <Switch label="One single file" checked={spec.singleFile === true} onChange={(e) => set({ singleFile: e.currentTarget.checked })} />
            <Switch label="Feed monitoring" checked={spec.monitor !== false} onChange={(e) => set({ monitor: e.currentTarget.checked })} />
            <Button variant="subtle" onClick={moreToggle.toggle} aria-expanded={more}>
              {more ? 'Less' : 'More options'}
            </Button>
          </Group>
          <Collapse expanded={more}>
            <Stack gap="sm">
              <Group grow>
                <NativeSelect
                  label="Input format"
                  value={spec.inputFormat ?? 'auto'}
                  onChange={(e) => set({ inputFormat: e.currentTarget.value as BatchSpecInput['inputFormat'] })}
                  data={FORMATS}
                />
                <NativeSelect
                  label="Output format"
                  value={spec.outputFormat ?? 'auto'}
                  onChange={(e) => set({ outputFormat: e.currentTarget.value as BatchSpecInput['outputFormat'] })}
                  data={FORMATS}
                />
                <NumberInput
                  label="Rows a chunk"
                  min={1}
                  max={5_000_000}
                  step={10_000}
                  thousandSeparator
                  value={spec.chunkRows ?? 100_000}
                  onChange={(v) => set({ chunkRows: typeof v === 'number' ? v : undefined })}
                />
                <NumberInput
                  label="Workers"
                  min={1}
                  max={64}
                  placeholder="server default"
                  value={spec.workers ?? ''}
                  onChange={(v) => set({ workers: typeof v === 'number' ? v : undefined })}
                />
              </Group>
              <Group grow>
                <NumberInput
                  label="Bad rows allowed"
                  min={0}
                  max={1}
                  step={0.01}
                  value={spec.maxErrorRate ?? 0}
                  onChange={(v) => set({ maxErrorRate: typeof v === 'number' ? v : undefined })}
                  description="Share, 0 to 1"
                />
                <TextInput
                  label="Event time column"
                  value={spec.timestampColumn ?? ''}
                  onChange={(e) => set({ timestampColumn: textOf(e.currentTarget.value) })}
                  description="For monitoring"
                />
              </Group>
              <TextInput
                label="Columns to pass through"
                placeholder="all"
                onChange={(e) => {
                  const list = e.currentTarget.value
                    .split(',')
                    .map((c) => c.trim())
                    .filter((c) => c !== '');
                  set({ columns: list.length === 0 ? undefined : list });
                }}
                description="Separated by commas"
              />
              <Textarea
                label="Select"
                autosize
                minRows={1}
                placeholder="all columns"
                onChange={(e) => set({ select: textOf(e.currentTarget.value) })}
                description="A SQL select list that makes the feature columns."
              />
              <TextInput
                label="Where"
                placeholder="all rows"
                onChange={(e) => set({ where: textOf(e.currentTarget.value) })}
                description="A SQL condition on the input rows."
              />
              <Group gap="lg">
                <Switch label="Go on where an earlier job stopped" checked={spec.resume === true} onChange={(e) => set({ resume: e.currentTarget.checked })} />
                <Switch label="Overwrite the output" checked={spec.overwrite === true} onChange={(e) => set({ overwrite: e.currentTarget.checked })} />
              </Group>
            </Stack>
          </Collapse>
          {create.isError && <ErrorState error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending} disabled={!ready}>
              Start
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
