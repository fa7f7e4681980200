import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client, problemOf } from '../../app/api.ts';
import { plural } from '../../ui/format.ts';
import { inTurns } from '../in-turns.ts';

/** Deletes or restores the ticked runs; what could not be changed stays ticked, to be tried again. */
export function useStage(selected: string[], onSelect: (ids: string[]) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (lifecycleStage: 'active' | 'deleted') =>
      inTurns(selected, 4, (runId) => client.call('updateRun', { params: { runId }, body: { lifecycleStage } })),
    onSuccess: (failed) => {
      onSelect(failed.map(({ item }) => item));
      if (failed.length > 0)
        notifications.show({
          title: `${plural(failed.length, 'run')} of ${selected.length} could not be changed`,
          message: problemOf(failed[0]?.error).detail,
          color: 'red',
          autoClose: 10_000,
        });
      void queries.invalidateQueries();
    },
  });
}
