import './series.css';
import { Group, Switch, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { plural } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { ArtifactView } from '../artifacts/artifact-view.tsx';
import { nameOf, shownName } from '../artifacts/kinds.ts';
import { nearestIndex } from './histograms.ts';
import type { FileAt } from './mlflow-images.ts';
import { StepSlider } from './step-slider.tsx';
import { type StepView, useEntries } from './use-entries.ts';

const MOST = 1000;

/** A series of files. */
export function FilesView(view: StepView) {
  const { step, onStep } = view;
  const entries = useEntries(view, 'file', MOST);
  const files = useMemo(
    () => (entries.data?.entries ?? []).flatMap(({ value, ...at }): FileAt[] => (typeof value === 'object' && 'path' in value ? [{ ...at, ...value }] : [])),
    [entries.data],
  );
  if (entries.isError && entries.data === undefined) return <ErrorState error={entries.error} retry={entries.refetch} />;
  if (entries.data === undefined) return <Loading />;
  return <FilesOverSteps files={files} total={entries.data.total} step={step} onStep={onStep} />;
}

/** Files over steps: the one of a step in place, or those of two beside each other. */
export function FilesOverSteps({ files, total, step, onStep }: { files: FileAt[]; total: number; step: number | undefined; onStep: (step: number) => void }) {
  const [other, setOther] = useState<number>();
  if (files.length === 0)
    return (
      <Text c="dimmed" size="sm">
        No files.
      </Text>
    );
  const steps = files.map((f) => f.step);
  return (
    <>
      {files.length > 1 && (
        <Group mb={4}>
          <Switch label="Side by side" checked={other !== undefined} onChange={(e) => setOther(e.currentTarget.checked ? steps[0] : undefined)} />
        </Group>
      )}
      <div className="bn-sides">
        {other !== undefined && <Side label="Step on the left" files={files} steps={steps} step={other} onStep={setOther} />}
        <Side label={other === undefined ? 'Step of the file' : 'Step on the right'} files={files} steps={steps} step={step} onStep={onStep} />
      </div>
      {total > files.length && (
        <Text size="xs" c="dimmed" mt={4}>
          {files.length} of {plural(total, 'step')}, evenly chosen.
        </Text>
      )}
    </>
  );
}

function Side({
  label,
  files,
  steps,
  step,
  onStep,
}: {
  label: string;
  files: FileAt[];
  steps: number[];
  step: number | undefined;
  onStep: (step: number) => void;
}) {
  const index = nearestIndex(steps, step);
  const file = files[index];
  if (file === undefined) return null;
  return (
    <div style={{ minWidth: 0 }}>
      {files.length > 1 && (
        <StepSlider label={label} steps={steps} timestamps={files.map((f) => f.timestamp)} index={index} onIndex={(i) => onStep(steps[i] as number)} />
      )}
      <Text size="xs" c="dimmed" mb={6} className="break">
        <Link to="/runs/$runId" params={{ runId: file.runId }} search={{ tab: 'artifacts', path: file.path }} className="bn-link inline" title={file.path}>
          {shownName(nameOf(file.path))}
        </Link>
        {file.inherited ? '; from the run that this one was forked from' : ''}
      </Text>
      <ArtifactView key={`${file.runId}/${file.path}`} file={{ runId: file.runId, path: file.path }} size={file.size} />
    </div>
  );
}
