import type { EndpointDetail } from '@binnacle/contract';
import { Button, Group, NativeSelect, Switch, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { client } from '../../app/api.ts';
import { formatTime } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { shownVersion } from './tabs.ts';

interface Line {
  at: number;
  source: 'stdout' | 'stderr' | 'binnacle';
  text: string;
}
/** Lines that the page keeps. */
const KEPT = 5000;
const EVERY_MS = 1500;

/** What a supervised server says, followed. The view stays where the reader is; only at the end does it go along. */
export function Logs({ endpoint }: { endpoint: EndpointDetail }) {
  const versions = endpoint.logged;
  const [chosen, setVersion] = useState<number | undefined>();
  const version = shownVersion(chosen, versions);
  return <Lines key={version} endpoint={endpoint.name} version={version} versions={versions} onVersion={setVersion} />;
}

function Lines({
  endpoint,
  version,
  versions,
  onVersion,
}: {
  endpoint: string;
  version: number | undefined;
  versions: readonly number[];
  onVersion: (version: number) => void;
}) {
  const [lines, setLines] = useState<Line[]>([]);
  const [wrap, setWrap] = useState(true);
  const [error, setError] = useState<Error | undefined>();
  const [asked, setAsked] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    let after: string | undefined;
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        const query = { limit: 1000, ...(version === undefined ? {} : { version }), ...(after === undefined ? {} : { after }) };
        const answer = await client.call('getEndpointLogs', { params: { endpoint }, query });
        if (over) return;
        after = answer.next;
        if (answer.lines.length > 0) setLines((before) => [...before, ...answer.lines].slice(-KEPT));
        setError(undefined);
      } catch (cause) {
        if (!over) setError(cause instanceof Error ? cause : new Error(String(cause)));
      }
      if (over) return;
      setAsked(true);
      timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [endpoint, version]);
  // After every render: lines may have come.
  useEffect(() => {
    if (atEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  });
  const toEnd = () => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  };
  return (
    <Panel
      title="Log"
      actions={
        <Group gap="sm">
          {versions.length > 1 && (
            <NativeSelect
              size="xs"
              aria-label="Version"
              value={String(version)}
              onChange={(e) => onVersion(Number(e.currentTarget.value))}
              data={versions.map((v) => ({ value: String(v), label: `version ${v}` }))}
            />
          )}
          <Switch size="xs" label="Wrap" checked={wrap} onChange={(e) => setWrap(e.currentTarget.checked)} />
          <Button size="compact-xs" variant="default" onClick={toEnd}>
            To the end
          </Button>
        </Group>
      }
    >
      {error !== undefined && <ErrorState error={error as never} compact />}
      {lines.length === 0 && asked && error === undefined && (
        <Text c="dimmed" size="sm">
          Nothing has been said yet.
        </Text>
      )}
      <pre
        ref={box}
        role="log"
        tabIndex={0}
        aria-label="Lines of the log"
        onScroll={(e) => {
          const { scrollTop, scrollHeight, clientHeight } = e.currentTarget;
          atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
        style={{
          margin: 0,
          maxHeight: '60vh',
          overflow: 'auto',
          fontSize: 12.5,
          lineHeight: 1.5,
          whiteSpace: wrap ? 'pre-wrap' : 'pre',
          overflowWrap: wrap ? 'anywhere' : 'normal',
          fontFamily: 'var(--mantine-font-family-monospace)',
        }}
      >
        {lines.map(({ at, source, text }, i) => (
          // Lines have no identity but their place.
          <div key={i} style={source === 'binnacle' ? { fontWeight: 600 } : undefined}>
            <span style={{ color: 'var(--bn-muted)' }}>{formatTime(at)} </span>
            {text}
          </div>
        ))}
      </pre>
    </Panel>
  );
}
