import type { Generated } from 'kysely';
import type { BatchTables } from './batch.ts';
import type { ImportTables } from './imports.ts';
import type { TrackingTables } from './tracking.ts';
import type { MonitoringTables } from './monitoring.ts';
import type { RegistryTables } from './registry.ts';
import type { ServingTables } from './serving.ts';
import type { ViewTables } from './views.ts';

export interface OutboxTable {
  id: Generated<number>;
  type: string;
  payload: string;
  created_at: number;
}

export interface SystemTables {
  outbox: OutboxTable;
}

/** Every table, room by room; a room adds its own interface here. */
export interface Database extends SystemTables, TrackingTables, RegistryTables, ServingTables, MonitoringTables, BatchTables, ImportTables, ViewTables {}
