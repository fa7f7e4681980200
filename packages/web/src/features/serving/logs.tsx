import type { EndpointDetail } from '@binnacle/contract';
import { Button, Group, NativeSelect, Switch, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { client } from '../../app/api.ts';
import { formatTime } from '../../ui/format.ts';
import { LogBox, useLogEnd } from '../../ui/log-box.tsx';
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
  const box = useRef<HTMLDivElement>(null);
  const end = useLogEnd(box);
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
  // After every render: lines may have come, or be wrapped otherwise.
  useEffect(() => {
    if (end.following) end.scroll();
  });
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
          <Button size="compact-xs" variant="default" onClick={end.scroll}>
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
      <LogBox ref={box} end={end} label="Lines of the log" wrap={wrap}>
        {lines.map(({ at, source, text }, i) => (
          // Lines have no identity but their place.
          <div key={i} style={source === 'binnacle' ? { fontWeight: 600 } : undefined}>
            <span style={{ color: 'var(--bn-muted)' }}>{formatTime(at)} </span>
            {text}
          </div>
        ))}
      </LogBox>
    </Panel>
  );
}
