import type { RunRow } from '@binnacle/contract';
import type { ShownGroup } from './groups.ts';

/** A line of the runs table; `wait`: a run that has not come yet. Pure; tested in lines.test.ts. */
export type Line = { kind: 'run'; run: RunRow; inside: boolean } | { kind: 'group'; group: ShownGroup; open: boolean } | { kind: 'wait' };

export interface GroupLayout {
  count: number;
  at(line: number, runOf: (group: string, place: number) => RunRow | undefined): Line;
  /** The pages of open groups that lines `from` to `to` come from. */
  pages(from: number, to: number, size: number): { section: string; page: number }[];
}

/** Groups one under the other, each open one with its runs below it. */
export function linesOf(groups: readonly ShownGroup[], open: ReadonlySet<string>): GroupLayout {
  const starts: number[] = [];
  let count = 0;
  for (const group of groups) {
    starts.push(count);
    count += 1 + (open.has(group.id) ? group.runs : 0);
  }
  const groupAt = (line: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= line) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    count,
    at(line, runOf) {
      const index = groupAt(line);
      const group = groups[index];
      if (group === undefined) return { kind: 'wait' };
      const place = line - (starts[index] as number) - 1;
      if (place < 0) return { kind: 'group', group, open: open.has(group.id) };
      const run = runOf(group.id, place);
      return run === undefined ? { kind: 'wait' } : { kind: 'run', run, inside: true };
    },
    pages(from, to, size) {
      const wanted: { section: string; page: number }[] = [];
      for (let index = groupAt(Math.max(0, from)); index < groups.length && (starts[index] as number) <= to; index++) {
        const group = groups[index] as ShownGroup;
        if (!open.has(group.id)) continue;
        const start = (starts[index] as number) + 1;
        const last = Math.min(group.runs - 1, to - start);
        for (let page = Math.max(0, Math.floor((from - start) / size)); page * size <= last; page++) wanted.push({ section: group.id, page });
      }
      return wanted;
    },
  };
}
