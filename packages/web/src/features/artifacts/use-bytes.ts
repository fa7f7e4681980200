import { BinnacleApiError } from '@binnacle/sdk';
import { type UseQueryResult, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { client } from '../../app/api.ts';

/** A file among the artifacts of a run. */
export interface ArtifactRef {
  runId: string;
  path: string;
  /** The logged model of the run whose file it is; the run's own when absent. */
  modelId?: string | undefined;
}
export interface Bytes {
  bytes: Uint8Array;
  /** Of the whole file. */
  total: number;
}

/** `frame`: for a frame of ours, in which a page's scripts run as nobody. */
export const artifactUrl = ({ runId, path, modelId }: ArtifactRef, frame = false): string =>
  client.url('getRunArtifact', { params: { runId }, query: { path, modelId, ...(frame ? { frame: 'true' as const } : {}) } });

const EMPTY: Bytes = { bytes: new Uint8Array(), total: 0 };
async function readRange({ runId, path, modelId }: ArtifactRef, from: number, length: number, signal: AbortSignal): Promise<Bytes> {
  try {
    const response = await client.raw('getRunArtifact', {
      params: { runId },
      query: { path, modelId },
      headers: { range: `bytes=${from}-${from + length - 1}` },
      signal,
    });
    const body = new Uint8Array(await response.arrayBuffer());
    // A proxy between may have answered with the whole.
    const bytes = response.status === 200 ? body.subarray(from, from + length) : body;
    return { bytes, total: Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? body.length) };
  } catch (error) {
    // Nothing is at that place: the file is empty, or became shorter.
    if (error instanceof BinnacleApiError && error.status === 416) return EMPTY;
    throw error;
  }
}

/** The beginning of a file, at most so many bytes. */
export const useBytes = (ref: ArtifactRef, most: number): UseQueryResult<Bytes> =>
  useQuery({
    queryKey: ['artifact', ref.runId, ref.modelId, ref.path, most],
    queryFn: ({ signal }) => readRange(ref, 0, most, signal),
    staleTime: 60_000,
  });

const PIECE = 256 * 1024;
/** Text is shown up to here; more is for an editor. */
export const MOST_TEXT = 20 * PIECE;

export interface TextPieces {
  text: string | undefined;
  loaded: number;
  total: number;
  query: Pick<ReturnType<typeof useInfiniteQuery>, 'error' | 'isError' | 'refetch' | 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'>;
}

/** The text of a file, a piece at a time. */
export function useText(ref: ArtifactRef): TextPieces {
  const query = useInfiniteQuery({
    queryKey: ['artifact-text', ref.runId, ref.modelId, ref.path],
    queryFn: ({ pageParam, signal }) => readRange(ref, pageParam, PIECE, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, page) => sum + page.bytes.length, 0);
      return last.bytes.length > 0 && loaded < last.total && loaded < MOST_TEXT ? loaded : undefined;
    },
    staleTime: 60_000,
  });
  const pages = query.data?.pages;
  return useMemo(() => {
    const decoder = new TextDecoder();
    const loaded = pages?.reduce((sum, page) => sum + page.bytes.length, 0) ?? 0;
    // A character that the end of a piece cuts waits for the next.
    return { text: pages?.map((page) => decoder.decode(page.bytes, { stream: true })).join(''), loaded, total: pages?.[pages.length - 1]?.total ?? 0, query };
  }, [pages, query]);
}
