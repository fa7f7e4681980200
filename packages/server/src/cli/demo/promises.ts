import { FAULT } from './context.ts';
import type { DemoSummary } from './figures.ts';

export interface Kept {
  promise: string;
  kept: boolean;
  /** What was found instead; empty when kept. */
  found: string;
}

const weekOfFault = new Date(FAULT.from).toISOString().slice(0, 10);

/** What the demo promises to show, checked against what the server says. A broken one makes the exit code 1. */
export function checkPromises(summary: DemoSummary): Kept[] {
  const { gates, versions, batch, live, quality, alarms, drift, endpoint, runs } = summary;
  const gateOf = (run: string) => gates.find((gate) => gate.run === run);
  const drifted = drift.weeks.filter((week) => week.drifted.length > 0);
  const inFault = alarms.filter((alarm) => alarm.week === weekOfFault);
  const list = (items: { week: string; kind: string; feature: string | null }[]) =>
    items.map((alarm) => `${alarm.feature ?? alarm.kind} ${alarm.week}`).join(', ');
  const check = (promise: string, kept: boolean, found: string): Kept => ({ promise, kept, found: kept ? '' : found });
  return [
    check(
      'three training runs are in',
      runs.length === 3 && runs.every((run) => run.status === 'FINISHED'),
      `${runs.length} runs: ${runs.map((run) => `${run.name} ${run.status}`).join(', ')}`,
    ),
    check(
      'the gates let the linear and the boosted model pass',
      gateOf('linear')?.passed === true && gateOf('boosted')?.passed === true,
      failures(gates.filter((gate) => gate.run !== 'bad')),
    ),
    check('the gates refuse the bad model', gateOf('bad')?.passed === false, `its gates ${gateOf('bad')?.passed === true ? 'passed' : 'did not run'}`),
    check(
      'the champion serves',
      endpoint?.state === 'ready' && versions.some((version) => version.champion && version.version === endpoint.version),
      `champion is version ${versions.find((version) => version.champion)?.version ?? 'none'}, the endpoint serves ${endpoint?.version ?? 'nothing'} and is ${endpoint?.state ?? 'not there'}`,
    ),
    check(
      'April is scored without a bad row',
      batch?.state === 'succeeded' && batch.rowsFailed === 0 && batch.rows > 0,
      batch === null ? 'there is no job' : `${batch.state}, ${batch.rowsFailed} bad rows`,
    ),
    check(
      'every live prediction has its truth',
      live !== null && quality !== null && live.labels > 0 && quality.live.labelled === live.labels,
      `${quality?.live.labelled ?? 0} joined of ${live?.labels ?? 0} sent`,
    ),
    check(
      'live, the model beats the majority baseline',
      quality !== null && (quality.live.auc ?? 0) > 0.6 && (quality.live.brier ?? 1) < (quality.live.majorityBrier ?? 0),
      `ROC AUC ${quality?.live.auc ?? 'unknown'}, Brier ${quality?.live.brier ?? 'unknown'} against ${quality?.live.majorityBrier ?? 'unknown'}`,
    ),
    check(
      `the fault is found: one alarm, ${FAULT.feature}, week of ${weekOfFault}`,
      inFault.length === 1 && inFault[0]?.feature === FAULT.feature,
      inFault.length === 0 ? 'no alarm in that week' : list(inFault),
    ),
    check('no alarm in a clean week', alarms.length === inFault.length, list(alarms.filter((alarm) => alarm.week !== weekOfFault))),
    check(
      'no drifted feature in a clean week',
      drift.weeks.length > 1 && drifted.every((week) => week.simulatedFault),
      drifted
        .filter((week) => !week.simulatedFault)
        .map((week) => `${week.start}: ${week.drifted.join(', ')}`)
        .join('; ') || 'there are no weeks',
    ),
  ];
}

const failures = (gates: DemoSummary['gates']): string =>
  gates
    .filter((gate) => gate.passed !== true)
    .map((gate) => `${gate.run}: ${gate.results.find((result) => !result.passed)?.message ?? 'not asked'}`)
    .join('; ');
