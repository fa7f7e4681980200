import type { RunRow } from '@binnacle/contract';
import { allPages } from '../all-pages.ts';
import { type ConnectFlags, connect } from '../connect.ts';
import { ago, bold, dim, formatTable, print, printJson } from '../output.ts';
import { UsageError } from '../usage.ts';

/** What one question may name, and what one page may hold. */
const MOST_EXPERIMENTS = 1000;
const MOST_RUNS = 5000;

interface ListOptions extends ConnectFlags {
  experiment?: string | undefined;
  filter?: string | undefined;
  orderBy?: string[] | undefined;
  limit: number;
  json?: true | undefined;
}

const shorten = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
const figure = (value: number | string): string => (typeof value === 'number' ? String(Number(value.toPrecision(5))) : value);

export async function list(options: ListOptions): Promise<void> {
  if (options.limit < 1) throw new UsageError('--limit must be 1 or more.');
  const { client, close } = await connect(options);
  try {
    const experiments = await allPages(async (pageToken, limit) => {
      const page = await client.call('listExperiments', { query: { limit, pageToken } });
      return { items: page.experiments, nextPageToken: page.nextPageToken };
    }, 1000);
    const wanted = options.experiment === undefined ? experiments : experiments.filter((e) => e.name === options.experiment || e.id === options.experiment);
    if (wanted.length === 0 && options.experiment !== undefined)
      throw new Error(`There is no experiment "${options.experiment}". There are: ${experiments.map((e) => e.name).join(', ')}`);
    if (wanted.length > MOST_EXPERIMENTS && options.orderBy !== undefined)
      throw new UsageError(`Runs of ${wanted.length} experiments cannot be ordered at once, at most ${MOST_EXPERIMENTS}. Name one with --experiment.`);
    const found: RunRow[] = [];
    for (let from = 0; from < wanted.length; from += MOST_EXPERIMENTS) {
      const experimentIds = wanted.slice(from, from + MOST_EXPERIMENTS).map((e) => e.id);
      found.push(
        ...(await allPages(
          async (pageToken, limit) => {
            const body = {
              experimentIds,
              filter: options.filter ?? '',
              orderBy: options.orderBy ?? [],
              limit,
              ...(pageToken === undefined ? {} : { pageToken }),
            };
            const page = await client.call('searchRuns', { body });
            return { items: page.runs, nextPageToken: page.nextPageToken };
          },
          MOST_RUNS,
          options.limit,
        )),
      );
    }
    // Newest first over all, as the server has them within one question.
    const runs = wanted.length <= MOST_EXPERIMENTS ? found : found.sort((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0)).slice(0, options.limit);
    if (options.json) return printJson(runs);
    if (runs.length === 0) return print(dim('No runs. Log one: mlflow.set_tracking_uri(…); mlflow.log_metric("accuracy", 0.9)'));
    const names = new Map(experiments.map((e) => [e.id, e.name]));
    const keys = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort().slice(0, 4);
    print(
      formatTable(runs, [
        { title: 'RUN', value: (r) => r.id },
        { title: 'NAME', value: (r) => shorten(r.name, 28) },
        { title: 'EXPERIMENT', value: (r) => shorten(names.get(r.experimentId) ?? r.experimentId, 24) },
        { title: 'STATUS', value: (r) => r.status },
        { title: 'STARTED', value: (r) => ago(r.startedAt) },
        ...keys.map((key) => ({ title: shorten(key, 20), align: 'right' as const, value: (r: (typeof runs)[number]) => figure(r.metrics[key] ?? '') })),
      ]),
    );
  } finally {
    await close();
  }
}

export async function show(runId: string, options: ConnectFlags & { json?: true | undefined }): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const run = await client.call('getRun', { params: { runId } });
    if (options.json) return printJson(run);
    const { keys } = await client.call('listEntryKeys', { params: { runId }, query: { limit: 1000 } });
    const pairs = (title: string, entries: [string, string][]) =>
      entries.length === 0 ? [] : ['', bold(title), ...entries.map(([key, value]) => `  ${key.padEnd(28)} ${value}`)];
    print(
      [
        `${bold(run.name)}  ${run.status}  ${dim(run.id)}`,
        `experiment ${run.experimentName}, started ${ago(run.startedAt)}${run.user === '' ? '' : ` by ${run.user}`}`,
        ...(run.fork === null ? [] : [`forked from ${run.fork.name ?? run.fork.runId} ${dim(run.fork.runId)} at step ${run.fork.step}`]),
        ...pairs(
          'Metrics',
          run.metrics.map((m) => [m.key, `${figure(m.value)}${m.count > 1 ? dim(`  (${m.count} points, ${figure(m.min)} to ${figure(m.max)})`) : ''}`]),
        ),
        ...pairs(
          'Series',
          keys.map(({ key, kind, count, firstStep, lastStep }) => [key, `${kind}${dim(`  (${count}, steps ${figure(firstStep)} to ${figure(lastStep)})`)}`]),
        ),
        ...pairs('Params', Object.entries(run.params)),
        ...pairs(
          'Datasets',
          run.datasets.map((d) => [d.name, `${d.digest} ${d.context ?? ''}`]),
        ),
        ...pairs(
          'Models',
          run.models.map((m) => [m.name, `${m.modelId} ${m.versions.map((v) => `${v.name}/${v.version}`).join(', ')}`]),
        ),
        ...pairs(
          'Tags',
          Object.entries(run.tags).filter(([key]) => !key.startsWith('mlflow.')),
        ),
        ...(run.note === '' ? [] : ['', bold('Note'), run.note]),
      ].join('\n'),
    );
  } finally {
    await close();
  }
}
