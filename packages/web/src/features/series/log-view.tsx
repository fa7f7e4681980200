import './series.css';
import { Badge, Button, Group, Switch, Text } from '@mantine/core';
import { IconArrowBarToDown, IconArrowBarToUp, IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { formatInt, formatNumber, formatTime, plural } from '../../ui/format.ts';
import { LogBox, useLogEnd } from '../../ui/log-box.tsx';
import { SearchInput } from '../../ui/search-input.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { type LogLine, linesOf, matching, pieces } from './log.ts';
import { MOST_SEARCHED, useLog } from './use-log.ts';

const LONGEST = 4_000;

/** A series of strings as a log: it begins at the end, reads further back as one scrolls up, and follows while the run goes on. Or it begins at the beginning. */
export function LogView(props: { runId: string; name: string; live: boolean }) {
  const [from, setFrom] = useState<'start' | 'end'>('end');
  const [turns, setTurns] = useState(0);
  const goTo = (place: typeof from) => {
    setFrom(place);
    setTurns((n) => n + 1);
  };
  return <LogFrom key={turns} {...props} from={from} onGoTo={goTo} />;
}

function LogFrom({
  runId,
  name,
  live,
  from,
  onGoTo,
}: {
  runId: string;
  name: string;
  live: boolean;
  from: 'start' | 'end';
  onGoTo: (place: 'start' | 'end') => void;
}) {
  const log = useLog(runId, name, live, from);
  const [query, setQuery] = useState('');
  const [wrap, setWrap] = useState(true);
  const all = useMemo(() => linesOf(log.entries), [log.entries]);
  const lines = useMemo(() => matching(all, query), [all, query]);
  // A search looks at what lies further back, too.
  const { older, newer, loading, loadOlder, loadNewer, entries } = log;
  const partly = older || newer;
  const searching = query.trim() !== '' && partly && entries.length < MOST_SEARCHED && log.error === undefined;
  useEffect(() => {
    if (searching && !loading) (older ? loadOlder : loadNewer)();
  }, [searching, loading, older, loadOlder, loadNewer]);
  if (entries.length === 0) {
    if (log.error !== undefined) return <ErrorState error={log.error} retry={log.retry} />;
    return loading ? <Loading /> : <Text c="dimmed">No entries yet.</Text>;
  }
  return (
    <>
      <Group gap="md" mb="xs">
        <SearchInput
          aria-label="Search the log"
          placeholder="Search"
          value={query}
          onSearch={setQuery}
          leftSection={<IconSearch size={14} aria-hidden />}
          w={220}
        />
        <Switch label="Wrap" checked={wrap} onChange={(e) => setWrap(e.currentTarget.checked)} />
        <Text size="xs" c="dimmed" aria-live="polite">
          {query.trim() === ''
            ? plural(log.total, 'entry', 'entries')
            : `${plural(lines.length, 'match', 'matches')} in ${partly ? `the ${older ? 'last' : 'first'} ${formatInt(entries.length)} of ` : ''}${plural(log.total, 'entry', 'entries')}`}
        </Text>
      </Group>
      {log.error !== undefined && <ErrorState error={log.error} retry={log.retry} compact />}
      <LogLines
        lines={lines}
        query={query}
        wrap={wrap}
        live={live}
        from={from}
        older={older && query.trim() === ''}
        newer={newer && query.trim() === ''}
        onOlder={loadOlder}
        onNewer={loadNewer}
        onGoTo={onGoTo}
        label={name}
      />
    </>
  );
}

function LogLines({
  lines,
  query,
  wrap,
  live,
  from,
  older,
  newer,
  onOlder,
  onNewer,
  onGoTo,
  label,
}: {
  lines: LogLine[];
  query: string;
  wrap: boolean;
  live: boolean;
  from: 'start' | 'end';
  older: boolean;
  newer: boolean;
  onOlder: () => void;
  onNewer: () => void;
  onGoTo: (place: 'start' | 'end') => void;
  label: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const end = useLogEnd(box, from === 'end');
  const { following } = end;
  const view = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 21,
    overscan: 12,
    getItemKey: (i) => lines[i]?.id ?? i,
  });
  const scrollToEnd = () => {
    view.scrollToIndex(lines.length - 1, { align: 'end' });
    // Rows have their heights only once they are drawn.
    requestAnimationFrame(end.scroll);
  };
  // What comes in front must not move what one reads: the place is held by the line at the top.
  const before = useRef<{ first: string | undefined; count: number }>({ first: undefined, count: 0 });
  useLayoutEffect(() => {
    const { first, count } = before.current;
    const added = first === undefined || lines[0]?.id === first ? 0 : lines.findIndex((line) => line.id === first);
    before.current = { first: lines[0]?.id, count: lines.length };
    if (following) scrollToEnd();
    else if (added > 0 && count > 0) view.scrollToIndex(added, { align: 'start' });
    // oxlint-disable-next-line react-hooks/exhaustive-deps, react/exhaustive-effect-dependencies -- only new lines move anything.
  }, [lines]);
  const toEnd = () => {
    if (newer) return onGoTo('end');
    end.follow(true);
    scrollToEnd();
  };
  const onPlace = (above: number, below: number) => {
    if (older && above < 200) onOlder();
    if (newer && below < 400) onNewer();
  };
  return (
    <>
      <LogBox ref={box} end={end} label={label} wrap={wrap} look="framed" more={newer} aria-live="off" onPlace={onPlace}>
        <div style={{ height: view.getTotalSize(), position: 'relative', minWidth: wrap ? undefined : 'max-content' }}>
          {view.getVirtualItems().map((item) => {
            const line = lines[item.index];
            if (line === undefined) return null;
            return (
              <div
                key={item.key}
                ref={view.measureElement}
                data-index={item.index}
                className={line.inherited ? 'bn-log-row inherited' : 'bn-log-row'}
                title={line.inherited ? 'From the run that this one was forked from' : undefined}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <span className="at" title={`step ${line.step}`}>
                  {formatNumber(line.step)}
                </span>
                <span className="at time">{formatTime(line.timestamp)}</span>
                <LineText text={line.text} query={query} />
              </div>
            );
          })}
        </div>
      </LogBox>
      <Group gap="sm" mt={6}>
        {live && following && (
          <Badge variant="light" color="blue">
            Following
          </Badge>
        )}
        {!following && (
          <Button variant="default" leftSection={<IconArrowBarToDown size={14} aria-hidden />} onClick={toEnd}>
            Go to the end
          </Button>
        )}
        {older && (
          <>
            <Button variant="subtle" onClick={onOlder}>
              Load earlier entries
            </Button>
            <Button variant="subtle" leftSection={<IconArrowBarToUp size={14} aria-hidden />} onClick={() => onGoTo('start')}>
              Go to the beginning
            </Button>
          </>
        )}
      </Group>
    </>
  );
}

function LineText({ text, query }: { text: string; query: string }) {
  const [whole, setWhole] = useState(false);
  const shown = whole ? text : text.slice(0, LONGEST);
  return (
    <pre>
      {pieces(shown, query).map((piece, i) => (i % 2 === 1 ? <mark key={i}>{piece}</mark> : <Fragment key={i}>{piece}</Fragment>))}
      {text.length > shown.length && (
        <Button variant="subtle" size="compact-xs" onClick={() => setWhole(true)}>
          … {formatInt(text.length - shown.length)} more characters
        </Button>
      )}
    </pre>
  );
}
