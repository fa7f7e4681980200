import { Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { SegmentedControl } from '@mantine/core';
import { formatBytes, formatInt } from '../../ui/format.ts';
import { KeyValues } from '../../ui/page.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { Markdown } from '../markdown/index.tsx';
import { folderOf, looksLikeText } from './kinds.ts';
import { dtypeName, readNpyHeader } from './npy.ts';
import { TextView } from './text-view.tsx';
import { type ArtifactRef, useBytes } from './use-bytes.ts';

const MOST_MARKDOWN = 500_000;

/** Markdown, rendered or as it is written. */
export function MarkdownView({ file }: { file: ArtifactRef }) {
  const [view, setView] = useState<'read' | 'source'>('read');
  const content = useBytes(file, MOST_MARKDOWN);
  if (content.isError) return <ErrorState error={content.error} retry={content.refetch} />;
  if (content.data === undefined) return <Loading />;
  // Half a text could end in the middle of a table or of code.
  if (content.data.bytes.length < content.data.total || content.data.total === 0) return <TextView file={file} />;
  return (
    <>
      <SegmentedControl
        mb="sm"
        aria-label="Show as"
        value={view}
        onChange={(next) => setView(next as typeof view)}
        data={[
          { value: 'read', label: 'Read' },
          { value: 'source', label: 'Source' },
        ]}
      />
      {view === 'read' ? (
        <Markdown text={new TextDecoder().decode(content.data.bytes)} beside={{ runId: file.runId, modelId: file.modelId, folder: folderOf(file.path) }} />
      ) : (
        <TextView file={file} />
      )}
    </>
  );
}

/** Shape and type of a NumPy array. */
export function NpyView({ file }: { file: ArtifactRef }) {
  const content = useBytes(file, 16_384);
  const header = useMemo(() => (content.data === undefined ? undefined : readNpyHeader(content.data.bytes)), [content.data]);
  if (content.isError) return <ErrorState error={content.error} retry={content.refetch} />;
  if (content.data === undefined) return <Loading lines={3} />;
  if (header === undefined) return <NoView size={content.data.total} />;
  return (
    <KeyValues
      items={[
        ['Shape', `(${header.shape.join(', ')})`],
        ['Type', `${dtypeName(header.dtype)} (${header.dtype})`],
        ['Values', formatInt(header.shape.reduce((product, n) => product * n, 1))],
        ['Order', header.fortranOrder ? 'columns first (Fortran)' : 'rows first (C)'],
        ['Size', formatBytes(content.data.total)],
      ]}
    />
  );
}

/** A file whose name says nothing. */
export function UnknownView({ file }: { file: ArtifactRef }) {
  const content = useBytes(file, 4096);
  if (content.isError) return <ErrorState error={content.error} retry={content.refetch} />;
  if (content.data === undefined) return <Loading lines={3} />;
  return looksLikeText(content.data.bytes) ? <TextView file={file} /> : <NoView size={content.data.total} />;
}

export function NoView({ size }: { size: number | null | undefined }) {
  return (
    <Text c="dimmed" size="sm">
      There is no preview for this kind of file{size === null || size === undefined ? '' : ` (${formatBytes(size)})`}. Download it instead.
    </Text>
  );
}
