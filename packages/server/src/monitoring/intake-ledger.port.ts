/**
 * How many rows each endpoint has recorded in this session, written where a killed process leaves it: what was recorded and never
 * stored is the loss. Survives kill -9, not a power cut (it is not synced).
 */
export interface IntakeLedger {
  readonly session: string;
  /** What the session before this one left, and every next one finds again until `settled`. */
  readonly previous: { session: string; recorded: { endpoint: string; rows: number }[] } | null;
  /** Rows recorded so far. About two microseconds; called once a turn and endpoint. */
  mark(endpoint: string, rows: number): void;
  /** The former session is dealt with: this one takes its place. */
  settled(): void;
  close(): void;
}
