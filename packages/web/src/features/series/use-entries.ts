import { useApi } from '../../app/api.ts';

/** What a view of a series over steps is given. */
export interface StepView {
  runId: string;
  name: string;
  /** The run goes on: look again. */
  live: boolean;
  step: number | undefined;
  onStep: (step: number) => void;
}

/** At most `limit` entries of a series, evenly chosen over its steps, first and last among them. */
export const useEntries = ({ runId, name, live }: StepView, kind: 'histogram' | 'file', limit: number) =>
  useApi('getEntries', { params: { runId }, query: { key: name, kind, limit, sample: 'true' } }, { keepPrevious: true, refetchInterval: live ? 5_000 : false });
