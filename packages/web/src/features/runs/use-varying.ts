import type { RunRow } from '@binnacle/contract';
import { useState } from 'react';
import { varyingColumns } from './columns.ts';

/** The columns in which the runs that were seen so far are not all alike; what was found to vary stays while the search does. */
export function useVarying(enabled: boolean, of: string, loaded: RunRow[][], columns: string[]): string[] {
  const [found, setFound] = useState<{ of: string; ids: ReadonlySet<string>; first: RunRow | undefined }>({ of: '', ids: new Set(), first: undefined });
  if (!enabled) return columns;
  const before = found.of === of ? found : { of, ids: new Set<string>(), first: loaded.find((runs) => runs.length > 0)?.[0] };
  const runs = loaded.flat();
  // The first run that was seen stands for all that were.
  const seen = before.first === undefined ? runs : [before.first, ...runs];
  const now = runs.length < 2 && before.ids.size === 0 ? columns : varyingColumns(seen, columns);
  const ids = new Set([...before.ids, ...now]);
  if (found.of !== of || ids.size !== before.ids.size) setFound({ of, ids, first: before.first });
  return columns.filter((id) => ids.has(id));
}
