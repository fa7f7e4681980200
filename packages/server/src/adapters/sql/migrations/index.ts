import type { Migration } from 'kysely/migration';
import * as m0001 from './0001-system.ts';
import * as m0002 from './0002-tracking.ts';
import * as m0003 from './0003-registry.ts';
import * as m0004 from './0004-serving.ts';
import * as m0005 from './0005-monitoring.ts';
import * as m0006 from './0006-batch.ts';
import * as m0007 from './0007-imports.ts';
import * as m0008 from './0008-saved-views.ts';
import * as m0009 from './0009-series-kinds.ts';
import * as m0010 from './0010-endpoint-config.ts';
import * as m0011 from './0011-endpoint-changes.ts';

/** Forward only, in this order; a released one is never changed. */
export const migrations: Record<string, Migration> = {
  '0001-system': m0001,
  '0002-tracking': m0002,
  '0003-registry': m0003,
  '0004-serving': m0004,
  '0005-monitoring': m0005,
  '0006-batch': m0006,
  '0007-imports': m0007,
  '0008-saved-views': m0008,
  '0009-series-kinds': m0009,
  '0010-endpoint-config': m0010,
  '0011-endpoint-changes': m0011,
};
