import type { OperationId } from '@binnacle/contract';
import { BinnacleApiError, type CallInput, type CallResult, createClient } from '@binnacle/sdk';
import { keepPreviousData, type UseQueryOptions, type UseQueryResult, useQuery } from '@tanstack/react-query';

/** The one client of the interface; it talks to the server that the page came from. A cookie carries the token, if there is one. */
export const client = createClient({ baseUrl: globalThis.location?.origin ?? 'http://localhost' });

/** Gives the token to the server, which keeps it in a cookie that no script can read; false when it is the wrong one. */
export async function signIn(token: string): Promise<boolean> {
  await fetch(`/ui/?token=${encodeURIComponent(token)}`, { credentials: 'same-origin' });
  try {
    await client.call('getInfo');
    return true;
  } catch (error) {
    if (error instanceof BinnacleApiError && error.status === 401) return false;
    throw error;
  }
}

/** How often pages that show something moving ask again, in milliseconds. */
export const LIVE = { fast: 2_000, normal: 5_000, slow: 15_000 } as const;

type Options<I extends OperationId> = Omit<UseQueryOptions<CallResult<I>, BinnacleApiError>, 'queryKey' | 'queryFn' | 'placeholderData'> & {
  keepPrevious?: boolean;
};

/** Query options of an operation; the key is its id and its input. */
export function apiQuery<I extends OperationId>(
  id: I,
  input?: CallInput<I>,
): { queryKey: unknown[]; queryFn: (context: { signal: AbortSignal }) => Promise<CallResult<I>> } {
  const call = client.call as (id: OperationId, input: unknown) => Promise<CallResult<I>>;
  return { queryKey: [id, input ?? {}], queryFn: ({ signal }) => call(id, { ...input, signal }) };
}

/** Reads an operation. `keepPrevious` shows the old answer while a new input loads (filters, zoom). */
export function useApi<I extends OperationId>(id: I, input?: CallInput<I>, options: Options<I> = {}): UseQueryResult<CallResult<I>, BinnacleApiError> {
  const { keepPrevious, ...rest } = options;
  return useQuery({ ...apiQuery(id, input), ...rest, ...(keepPrevious === true ? { placeholderData: keepPreviousData } : {}) } as UseQueryOptions<
    CallResult<I>,
    BinnacleApiError
  >);
}

/** Every registered model whose name holds `q`; the server gives them a thousand at a time. */
export function useModels(q?: string, options: { refetchInterval?: number } = {}): UseQueryResult<CallResult<'listModels'>['models'], BinnacleApiError> {
  return useQuery<CallResult<'listModels'>['models'], BinnacleApiError>({
    queryKey: ['listModels', 'all', q ?? ''],
    queryFn: async ({ signal }) => {
      const models: CallResult<'listModels'>['models'] = [];
      let pageToken: string | undefined;
      do {
        const page = await client.call('listModels', { query: { q, limit: 1000, pageToken }, signal });
        models.push(...page.models);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined && pageToken !== '');
      return models;
    },
    placeholderData: keepPreviousData,
    ...options,
  });
}

/** What to show of any thrown thing. */
export function problemOf(error: unknown): { title: string; detail: string; code: string; status: number; details: Record<string, unknown> } {
  if (error instanceof BinnacleApiError) return error;
  return { title: 'Something broke in this page', detail: error instanceof Error ? error.message : String(error), code: 'page_error', status: -1, details: {} };
}
