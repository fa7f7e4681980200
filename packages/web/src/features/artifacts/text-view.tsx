import './artifacts.css';
import { Button, Group, Switch, Text } from '@mantine/core';
import { type ReactNode, useMemo, useState } from 'react';
import { CopyIcon } from '../../ui/bits.tsx';
import { formatBytes, plural } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { type ArtifactRef, MOST_TEXT, useText } from './use-bytes.ts';

/** A text file with line numbers, a piece at a time. */
export function TextView({ file, note }: { file: ArtifactRef; note?: ReactNode }) {
  const { text, loaded, total, query } = useText(file);
  if (query.isError && text === undefined) return <ErrorState error={query.error} retry={query.refetch} />;
  if (text === undefined) return <Loading />;
  return (
    <>
      {note}
      <Lines text={text} label={file.path} />
      {loaded < total && (
        <Group gap="sm" mt="xs">
          <Text size="xs" c="dimmed">
            {formatBytes(loaded)} of {formatBytes(total)}
            {query.hasNextPage ? '' : `; more than ${formatBytes(MOST_TEXT)} is not shown here, download it`}
          </Text>
          {query.hasNextPage && (
            <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              Load more
            </Button>
          )}
        </Group>
      )}
      {query.isError && <ErrorState error={query.error} retry={query.fetchNextPage} compact />}
    </>
  );
}

/** Numbers beside lines; two texts, however many lines there are. */
export function Lines({ text, label }: { text: string; label: string }) {
  const [wrap, setWrap] = useState(false);
  const shown = text.endsWith('\n') ? text.slice(0, -1) : text;
  const count = useMemo(() => shown.split('\n').length, [shown]);
  const numbers = useMemo(() => Array.from({ length: count }, (_, i) => i + 1).join('\n'), [count]);
  if (text === '')
    return (
      <Text c="dimmed" size="sm">
        The file is empty.
      </Text>
    );
  return (
    <>
      <Group gap="md" mb={6}>
        <Text size="xs" c="dimmed">
          {plural(count, 'line')}
        </Text>
        <Switch label="Wrap" checked={wrap} onChange={(e) => setWrap(e.currentTarget.checked)} />
        <CopyIcon text={text} label={`Copy ${label}`} />
      </Group>
      <div className={wrap ? 'bn-text wrap' : 'bn-text'} tabIndex={0} role="group" aria-label={label} style={wrap ? { gridTemplateColumns: '1fr' } : undefined}>
        {/* Wrapped lines take more than one row, beside which a number would be wrong. */}
        {!wrap && (
          <pre className="lines" aria-hidden>
            {numbers}
          </pre>
        )}
        <pre className="code">{shown}</pre>
      </div>
    </>
  );
}
