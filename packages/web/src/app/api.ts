import type { OperationId } from '@binnacle/contract';
import { BinnacleApiError, type CallInput, type CallResult, createClient } from '@binnacle/sdk';
import { keepPreviousData, type UseQueryOptions, type UseQueryResult, useQuery } from '@tanstack/react-query';

const TOKEN_KEY = 'binnacle-token';
export const storedToken = (): string | undefined => {
  try {
    return localStorage.getItem(TOKEN_KEY) ?? undefined;
  } catch {
    return undefined;
  }
};
export const storeToken = (token: string): void => localStorage.setItem(TOKEN_KEY, token);

/** The one client of the interface; it talks to the server that the page came from. */
export const client = createClient({ baseUrl: globalThis.location?.origin ?? 'http://localhost', token: storedToken });

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

/** What to show of any thrown thing. */
export function problemOf(error: unknown): { title: string; detail: string; code: string; status: number; details: Record<string, unknown> } {
  if (error instanceof BinnacleApiError) return error;
  return { title: 'Something broke in this page', detail: error instanceof Error ? error.message : String(error), code: 'page_error', status: -1, details: {} };
}
