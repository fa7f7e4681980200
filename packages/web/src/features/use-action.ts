import type { OperationId } from '@binnacle/contract';
import type { BinnacleApiError, CallInput, CallResult } from '@binnacle/sdk';
import { notifications } from '@mantine/notifications';
import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../app/api.ts';

/**
 * A change on the server. Says `done` when it worked and lets every page ask again; the caller shows `error` where the
 * change was asked for.
 */
export function useAction<I extends OperationId>(
  id: I,
  options: { done?: string | ((result: CallResult<I>) => string); onSuccess?: (result: CallResult<I>) => void; notifyError?: boolean } = {},
): UseMutationResult<CallResult<I>, BinnacleApiError, CallInput<I>> {
  const queries = useQueryClient();
  const call = client.call as (id: OperationId, input: unknown) => Promise<CallResult<I>>;
  return useMutation<CallResult<I>, BinnacleApiError, CallInput<I>>({
    mutationFn: (input) => call(id, input),
    onSuccess: (result) => {
      if (options.done !== undefined)
        notifications.show({ message: typeof options.done === 'function' ? options.done(result) : options.done, color: 'teal', autoClose: 3500 });
      options.onSuccess?.(result);
    },
    onError: (error) => {
      if (options.notifyError === true) notifications.show({ title: error.title, message: error.detail, color: 'red', autoClose: 10_000 });
    },
    // After a refusal too: a gate that refuses has written its report.
    onSettled: () => void queries.invalidateQueries(),
  });
}
