import { SqlBatchStore } from './batch.store.ts';
import type { StoreClass } from './engine.ts';
import { SqlGarbageStore } from './garbage.store.ts';
import { SqlMonitoringStore } from './monitoring.store.ts';
import { OutboxStore } from './outbox.store.ts';
import { SqlOverviewStore } from './overview.store.ts';
import { SqlRegistryStore } from './registry.store.ts';
import { SqlSavedViewStore } from './saved-views.store.ts';
import { SqlEndpointStore } from './serving.store.ts';
import { SqlTrackingStore } from './tracking.store.ts';
import { SqlTransferStore } from './transfer.store.ts';

/** Every store by the name that its proxy uses. */
export const stores: Record<string, StoreClass> = {
  batch: SqlBatchStore,
  garbage: SqlGarbageStore,
  monitoring: SqlMonitoringStore,
  outbox: OutboxStore,
  overview: SqlOverviewStore,
  tracking: SqlTrackingStore,
  registry: SqlRegistryStore,
  savedViews: SqlSavedViewStore,
  serving: SqlEndpointStore,
  transfer: SqlTransferStore,
};
