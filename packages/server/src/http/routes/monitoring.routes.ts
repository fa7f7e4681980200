import type { monitoringOperations } from '@binnacle/contract';
import type { MonitoringService } from '../../monitoring/index.ts';
import type { Handlers } from '../handlers.ts';

/** The native API of monitoring. */
export const monitoringHandlers = ({ monitoring }: { monitoring: MonitoringService }): Handlers<typeof monitoringOperations> => ({
  listMonitors: async () => ({ monitors: await monitoring.listMonitors() }),
  getMonitor: ({ params }) => monitoring.getMonitor(params.endpoint),
  setMonitorConfig: ({ params, body }) => monitoring.setConfig(params.endpoint, body),
  getTimeSeries: ({ params, query }) => monitoring.timeSeries(params.endpoint, query),
  getDrift: ({ params, query }) => monitoring.drift(params.endpoint, query),
  getDistribution: ({ params, query }) => monitoring.distribution(params.endpoint, query),
  getQuality: ({ params, query }) => monitoring.quality(params.endpoint, query),
  sendGroundTruth: ({ params, body }) => monitoring.addGroundTruth(params.endpoint, body.labels),
  listAlarms: async ({ query }) => ({ alarms: await monitoring.listAlarms(query) }),
  evaluateMonitor: ({ params }) => monitoring.evaluate(params.endpoint),
  listPredictions: ({ params, query }) => monitoring.listPredictions(params.endpoint, query),
});
