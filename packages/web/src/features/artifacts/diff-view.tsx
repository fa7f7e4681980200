import './artifacts.css';
import { Text } from '@mantine/core';
import { useMemo } from 'react';
import { formatBytes, plural } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { readDiff } from './diff.ts';
import { type ArtifactRef, useBytes } from './use-bytes.ts';

const MOST = 1_000_000;
const MOST_LINES = 10_000;

/** A unified diff, its lines coloured; the signs in front say the same. */
export function DiffView({ file }: { file: ArtifactRef }) {
  const content = useBytes(file, MOST);
  const diff = useMemo(() => (content.data === undefined ? undefined : readDiff(new TextDecoder().decode(content.data.bytes))), [content.data]);
  if (content.isError) return <ErrorState error={content.error} retry={content.refetch} />;
  if (diff === undefined || content.data === undefined) return <Loading />;
  if (content.data.total === 0)
    return (
      <Text c="dimmed" size="sm">
        The file is empty.
      </Text>
    );
  const [added, removed] = diff.files.reduce(([a, r], f) => [a + f.added, r + f.removed], [0, 0]);
  const cut = content.data.bytes.length < content.data.total || diff.lines.length > MOST_LINES;
  return (
    <>
      <Text size="sm" c="dimmed" mb="xs" className="break">
        {plural(diff.files.length, 'file')}: {plural(added, 'line')} added, {removed} removed
        {diff.files.length > 0 && diff.files.length <= 8 ? ` (${diff.files.map((f) => f.name).join(', ')})` : ''}
      </Text>
      <pre className="bn-diff" tabIndex={0} aria-label={file.path}>
        {diff.lines.slice(0, MOST_LINES).map(({ kind, text }, i) => (
          // Lines have no other identity than their place.
          <span key={i} className={kind}>
            {text}
          </span>
        ))}
      </pre>
      {cut && (
        <Text size="xs" c="dimmed" mt={4}>
          Only the beginning of {formatBytes(content.data.total)}; download it for the whole.
        </Text>
      )}
    </>
  );
}
