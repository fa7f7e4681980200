/** What a server holds, over all rooms: counts and search by name. */
export type { Counts, Hit, OverviewStore } from './overview.port.ts';
export { createOverviewService, type OverviewService } from './overview.service.ts';
