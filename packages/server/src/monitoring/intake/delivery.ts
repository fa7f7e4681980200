import type { Logger } from '../../kernel/index.ts';
import type { IntakeLedger } from '../intake-ledger.port.ts';
import type { ActivityDelta, BucketDelta, MonitoringStore } from '../monitoring-store.port.ts';
import type { LogRow, PredictionLog } from '../prediction-log.port.ts';

interface DeliveryDeps {
  store: MonitoringStore;
  log: PredictionLog;
  ledger: IntakeLedger;
  logger: Logger;
}

/** Buckets a transaction of the store: a few milliseconds of its writer. */
const STORE_BUCKETS = 200;
const LOG_ROWS = 1000;
/** Kept while the store does not take them; beyond, the oldest go. */
const UNSENT_BUCKETS = 50_000;

/** Brings what a flush gathered to the log and the store. */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #onDropped: (rows: LogRow[]) => void;
  readonly #unsent: { buckets: BucketDelta[]; activity: ActivityDelta[] } = { buckets: [], activity: [] };

  constructor(deps: DeliveryDeps, onDropped: (rows: LogRow[]) => void) {
    this.#deps = deps;
    this.#onDropped = onDropped;
  }

  /** Something waits for the store to take it. */
  get owes(): boolean {
    return this.#unsent.buckets.length + this.#unsent.activity.length > 0;
  }

  /** Rows that the log does not take are dropped and counted: keeping them would fill the memory. */
  async rows(rows: LogRow[]): Promise<void> {
    for (let from = 0; from < rows.length; from += LOG_ROWS) {
      try {
        await this.#deps.log.append(rows.slice(from, from + LOG_ROWS));
      } catch (err) {
        this.#deps.logger.error({ err, rows: rows.length - from }, 'the prediction log cannot be written; these rows are counted as dropped');
        this.#onDropped(rows.slice(from));
        return;
      }
    }
  }

  /** Each part goes over in one transaction and is forgotten then, so that trying again adds nothing twice. False: something is left. */
  async counts(buckets: BucketDelta[], activity: ActivityDelta[]): Promise<boolean> {
    const { store, ledger, logger } = this.#deps;
    const unsent = this.#unsent;
    unsent.buckets.push(...buckets);
    unsent.activity.push(...activity);
    try {
      while (this.owes) {
        const part = unsent.buckets.slice(0, STORE_BUCKETS);
        // Totals last: the mark of what is stored must not run ahead of the buckets.
        const totals = part.length === unsent.buckets.length ? [...unsent.activity] : [];
        await store.addActivity(ledger.session, part, totals);
        unsent.buckets.splice(0, part.length);
        unsent.activity.splice(0, totals.length);
      }
      return true;
    } catch (err) {
      logger.error({ err, buckets: unsent.buckets.length }, 'profiles cannot be stored; trying again');
      unsent.buckets.splice(0, unsent.buckets.length - UNSENT_BUCKETS);
      return false;
    }
  }
}
