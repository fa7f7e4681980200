import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

/**
 * Asks these operations (first parts of query keys) once more when something that was live has ended: what was written
 * between the last look and the end would stay missing. `live` is undefined while nobody knows.
 */
export function useFinalLook(live: boolean | undefined, operations: readonly string[]): void {
  const queries = useQueryClient();
  const was = useRef(false);
  const keys = operations.join();
  useEffect(() => {
    if (live === undefined) return;
    if (was.current && !live) for (const operation of keys.split(',')) void queries.invalidateQueries({ queryKey: [operation] });
    was.current = live;
  }, [live, keys, queries]);
}
