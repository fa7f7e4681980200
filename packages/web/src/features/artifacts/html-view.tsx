import './artifacts.css';
import { SegmentedControl, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { scriptHosts } from './scripts.ts';
import { TextView } from './text-view.tsx';
import { type ArtifactRef, artifactUrl, useBytes } from './use-bytes.ts';

const HEAD = 64 * 1024;

/** A page that was logged, in a frame that is nobody's origin: its scripts draw, and reach neither this page nor the server. */
export function HtmlView({ file }: { file: ArtifactRef }) {
  const [view, setView] = useState<'page' | 'source'>('page');
  const head = useBytes(file, HEAD);
  const hosts = useMemo(() => (head.data === undefined ? [] : scriptHosts(new TextDecoder().decode(head.data.bytes))), [head.data]);
  return (
    <>
      <SegmentedControl
        mb="xs"
        aria-label="Show as"
        value={view}
        onChange={(next) => setView(next as typeof view)}
        data={[
          { value: 'page', label: 'Page' },
          { value: 'source', label: 'Source' },
        ]}
      />
      {view === 'source' ? (
        <TextView file={file} />
      ) : (
        // allow-same-origin must never be added: with it the page could act as whoever looks at it.
        <iframe
          className="bn-frame"
          title={`${file.path}, a page of its own`}
          src={artifactUrl(file, true)}
          sandbox="allow-scripts"
          referrerPolicy="no-referrer"
          loading="lazy"
        />
      )}
      {view === 'page' && hosts.length > 0 && (
        <Text size="xs" c="dimmed" mt={6}>
          This page asks for scripts or styles from {hosts.join(', ')}. Without a way to there, or from a server that is not known for such libraries, parts of
          it stay empty. Log it with its libraries in it, as in{' '}
          <code>
            mlflow.log_figure(fig, "x.html", save_kwargs={'{'}"include_plotlyjs": True{'}'})
          </code>
          .
        </Text>
      )}
    </>
  );
}
