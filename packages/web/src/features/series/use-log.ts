import type { SeriesEntry } from '@binnacle/contract';
import { useCallback, useEffect, useRef, useState } from 'react';
import { client } from '../../app/api.ts';
import { appended } from './log.ts';

const PAGE = 500;
const POLL = 2_000;
/** A search reads so many entries by itself. */
export const MOST_SEARCHED = 20_000;

export interface Log {
  entries: SeriesEntry[];
  total: number;
  /** Whether entries lie before those that are known. */
  older: boolean;
  /** Whether entries lie behind them. */
  newer: boolean;
  loading: boolean;
  error: unknown;
  loadOlder: () => void;
  loadNewer: () => void;
  retry: () => void;
}

interface State {
  entries: SeriesEntry[];
  total: number;
  /** Page tokens. */
  older: string | undefined;
  newer: string | undefined;
}

/**
 * A series of strings from its end or its beginning, more of it on demand, and what comes behind it while the run goes on. The caller mounts one for each series
 * and beginning.
 */
export function useLog(runId: string, key: string, live: boolean, from: 'start' | 'end'): Log {
  const [state, setState] = useState<State>();
  const [loading, setLoading] = useState(false);
  const [error, setError] = useState<unknown>();
  const busy = useRef<AbortSignal>(undefined);
  const latest = useRef<State>(undefined);
  latest.current = state;

  const work = useCallback(async (action: (signal: AbortSignal) => Promise<State | undefined>, signal: AbortSignal): Promise<void> => {
    // What was given up may still be on its way; nobody waits for it.
    if (busy.current?.aborted === false) return;
    busy.current = signal;
    setLoading(true);
    try {
      const next = await action(signal);
      if (next !== undefined && !signal.aborted) setState(next);
      if (!signal.aborted) setError(undefined);
    } catch (cause) {
      if (!signal.aborted) setError(cause);
    } finally {
      if (busy.current === signal) {
        busy.current = undefined;
        setLoading(false);
      }
    }
  }, []);
  const ask = useCallback(
    (query: { order: 'asc' | 'desc'; from?: number; pageToken?: string }, signal: AbortSignal) =>
      client.call('getEntries', { params: { runId }, query: { key, kind: 'string', limit: PAGE, ...query }, signal }),
    [runId, key],
  );
  const first = useCallback(
    async (signal: AbortSignal): Promise<State> => {
      const page = await ask({ order: from === 'end' ? 'desc' : 'asc' }, signal);
      if (from === 'start') return { entries: page.entries, total: page.total, older: undefined, newer: page.nextPageToken };
      return { entries: [...page.entries].reverse(), total: page.total, older: page.nextPageToken, newer: undefined };
    },
    [ask, from],
  );
  const latestOnes = useCallback(
    async (signal: AbortSignal): Promise<State | undefined> => {
      const known = latest.current;
      const last = known?.entries[known.entries.length - 1];
      if (known === undefined || last === undefined) return first(signal);
      // Not at the end yet: what is new lies behind what is not read.
      if (known.newer !== undefined) return undefined;
      const found: SeriesEntry[] = [];
      let pageToken: string | undefined;
      // Many entries may have the step of the last one; they are all asked for again, and known ones are left out.
      do {
        const page = await ask({ order: 'asc', from: last.step, ...(pageToken === undefined ? {} : { pageToken }) }, signal);
        found.push(...page.entries);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined && found.length < MOST_SEARCHED);
      const entries = appended(known.entries, found);
      return entries === known.entries ? undefined : { ...known, entries, total: known.total + entries.length - known.entries.length };
    },
    [ask, first],
  );

  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const gone = new AbortController();
    void work(first, gone.signal);
    return () => gone.abort();
    // oxlint-disable-next-line react-hooks/exhaustive-deps, react/exhaustive-effect-dependencies -- `attempt` asks again.
  }, [work, first, attempt]);
  const wasLive = useRef(live);
  useEffect(() => {
    const gone = new AbortController();
    // Once more when it has ended: the last lines came after the last look.
    if (!live && wasLive.current) void work(latestOnes, gone.signal);
    wasLive.current = live;
    const timer = live ? setInterval(() => void work(latestOnes, gone.signal), POLL) : undefined;
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [live, work, latestOnes]);

  const loadNewer = useCallback(() => {
    void work(async (signal) => {
      const known = latest.current;
      if (known?.newer === undefined) return undefined;
      const page = await ask({ order: 'asc', pageToken: known.newer }, signal);
      return { ...known, entries: [...known.entries, ...page.entries], newer: page.nextPageToken };
    }, new AbortController().signal);
  }, [work, ask]);
  const loadOlder = useCallback(() => {
    void work(async (signal) => {
      const known = latest.current;
      if (known?.older === undefined) return undefined;
      const page = await ask({ order: 'desc', pageToken: known.older }, signal);
      return { ...known, entries: [...[...page.entries].reverse(), ...known.entries], older: page.nextPageToken };
    }, new AbortController().signal);
  }, [work, ask]);

  return {
    entries: state?.entries ?? [],
    total: state?.total ?? 0,
    older: state?.older !== undefined,
    newer: state?.newer !== undefined,
    loading: loading && (state === undefined || state.older !== undefined || state.newer !== undefined),
    error,
    loadOlder,
    loadNewer,
    retry: useCallback(() => setAttempt((n) => n + 1), []),
  };
}
