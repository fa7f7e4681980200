import { type ConnectFlags, connect } from '../connect.ts';
import { ago, bold, count, dim, formatTable, print, printJson, red } from '../output.ts';

type Flags = ConnectFlags & { json?: true | undefined };
const figure = (value: number | null, digits = 3): string => (value === null ? '–' : value.toFixed(digits));
const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

export async function list(options: Flags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const { monitors } = await client.call('listMonitors');
    if (options.json) return printJson(monitors);
    if (monitors.length === 0) return print(dim('Nothing is monitored yet. Deploy an endpoint and send it requests.'));
    print(
      formatTable(monitors, [
        { title: 'ENDPOINT', value: (m) => m.endpoint },
        { title: 'PREDICTIONS', align: 'right', value: (m) => count(m.predictions) },
        { title: 'LAST DAY', align: 'right', value: (m) => count(m.predictionsLastDay) },
        { title: 'LABELLED', align: 'right', value: (m) => count(m.labelled) },
        { title: 'ERRORS', align: 'right', value: (m) => count(m.errors) },
        { title: 'DRIFTED', value: (m) => m.driftedFeatures.join(' ') },
        { title: 'OPEN ALARMS', align: 'right', value: (m) => m.openAlarms },
        { title: 'LAST EVENT', value: (m) => ago(m.lastPredictionAt) },
      ]),
    );
  } finally {
    await close();
  }
}

export async function show(endpoint: string, options: Flags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const [drift, quality] = await Promise.all([
      client.call('getDrift', { params: { endpoint }, query: {} }),
      client.call('getQuality', { params: { endpoint }, query: {} }),
    ]);
    if (options.json) return printJson({ drift, quality });
    print(bold(`Drift by window (JS distance to ${drift.baseline?.source ?? 'no baseline'})`));
    print(
      formatTable(drift.features, [
        { title: 'FEATURE', value: (f) => f.name },
        ...drift.windows.map((window, i) => ({
          title: day(window.start),
          align: 'right' as const,
          value: (f: (typeof drift.features)[number]) => {
            const cell = f.cells[i];
            return cell === undefined || cell.js === null ? (cell?.status ?? '') : `${cell.js.toFixed(3)}${cell.status === 'drift' ? '!' : ''}`;
          },
        })),
      ]),
    );
    for (const alarm of drift.alarms) print(`${alarm.state === 'open' ? red('alarm') : dim('closed')}  ${day(alarm.firstWindow)}  ${alarm.message}`);
    print(`\n${bold('Quality where the truth is known')}`);
    print(
      formatTable(quality.windows, [
        { title: 'WINDOW', value: (w) => day(w.start) },
        { title: 'LABELLED', align: 'right', value: (w) => count(w.labelled) },
        { title: 'AUC', align: 'right', value: (w) => figure(w.auc) },
        { title: 'BRIER', align: 'right', value: (w) => figure(w.brier) },
        { title: 'MAJORITY', align: 'right', value: (w) => figure(w.majorityBrier) },
        { title: 'ACCURACY', align: 'right', value: (w) => figure(w.accuracy) },
      ]),
    );
  } finally {
    await close();
  }
}
