import type { GateReport } from '@binnacle/contract';

/** Asked before an alias moves. Gates implement it; compose wires it, so that the registry knows no gate. */
export interface AliasGuard {
  /** Runs the gates that guard this alias; null when none does. It never throws for a failed gate: the report says so. */
  check(request: { model: string; version: number; alias: string; previous: number | null }): Promise<GateReport | null>;
}
