import type { Logger } from '../../kernel/index.ts';
import type { IntakeLedger } from '../intake-ledger.port.ts';
import type { ActivityDelta, BucketDelta, MonitoringStore } from '../monitoring-store.port.ts';
import type { LogRows } from '../log-rows.ts';
import type { PredictionLog } from '../prediction-log.port.ts';

interface DeliveryDeps {
  store: MonitoringStore;
  log: PredictionLog;
  ledger: IntakeLedger;
  logger: Logger;
}

/** Kept while the store does not take them; beyond, the oldest go. */
const UNSENT_BUCKETS = 50_000;

/** Brings what a flush gathered to the log and the store. */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #onDropped: (rows: LogRows) => void;
  readonly #unsent: { buckets: BucketDelta[]; activity: ActivityDelta[] } = { buckets: [], activity: [] };

  constructor(deps: DeliveryDeps, onDropped: (rows: LogRows) => void) {
    this.#deps = deps;
    this.#onDropped = onDropped;
  }

  /** Something waits for the store to take it. */
  get owes(): boolean {
    return this.#unsent.buckets.length + this.#unsent.activity.length > 0;
  }

  /** Rows that the log does not take are dropped and counted: keeping them would fill the memory. */
  async rows(rows: LogRows): Promise<void> {
    if (rows.rows === 0) return;
    try {
      await this.#deps.log.append(rows);
    } catch (err) {
      this.#deps.logger.error({ err, rows: rows.rows }, 'the prediction log cannot be written; these rows are counted as dropped');
      this.#onDropped(rows);
    }
  }

  /** All of it goes over in one transaction, buckets with the mark of what is in them, so that nothing is ever added twice. False: it waits for the next try. */
  async counts(buckets: BucketDelta[], activity: ActivityDelta[]): Promise<boolean> {
    const { store, ledger, logger } = this.#deps;
    const unsent = this.#unsent;
    unsent.buckets.push(...buckets);
    unsent.activity.push(...activity);
    try {
      if (this.owes) await store.addActivity(ledger.session, unsent.buckets, unsent.activity);
      unsent.buckets.length = 0;
      unsent.activity.length = 0;
      return true;
    } catch (err) {
      logger.error({ err, buckets: unsent.buckets.length }, 'profiles cannot be stored; trying again');
      if (unsent.buckets.length > UNSENT_BUCKETS) unsent.buckets.splice(0, unsent.buckets.length - UNSENT_BUCKETS);
      return false;
    }
  }
}
