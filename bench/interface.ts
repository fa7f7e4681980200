import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ALL, CLIENT, pinSelf } from './lib/cores.ts';
import { Connection } from './lib/http.ts';
import { type Frames, scrollFrames } from './lib/frames.ts';
import { binnacleData, experimentId } from './lib/search-data.ts';
import { startBinnacle } from './lib/servers.ts';
import { figure, median } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';
import { logWideRuns } from './lib/wide-run.ts';

/** Each is done so often on a fresh page, and the median counts. */
const REPEATS = 5;
const LIST = '[aria-label="Runs"][role="grid"]';
const param = (value: unknown): string => encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value));

interface Step {
  name: string;
  /** Milliseconds, or for frames the longest. */
  aim: number;
  /** Returns milliseconds. */
  run(page: Page): Promise<number | Frames>;
}

/** From now until `seen` is, in milliseconds. */
async function until(act: () => Promise<unknown>, seen: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  await seen();
  return performance.now() - begun;
}

interface Place {
  url: string;
  experiment: string;
  runs: number;
  runIds: string[];
  wide: { experiment: string; runIds: string[]; keys: number };
}

function steps({ url, experiment, runs, runIds, wide }: Place): Step[] {
  const open = (page: Page, path: string) => page.goto(`${url}/ui${path}`, { waitUntil: 'commit' });
  const list = (page: Page) => page.locator(LIST);
  const row = (page: Page, text: string | RegExp) => list(page).getByText(text, { exact: true }).first().waitFor();
  const rowAt = (page: Page, index: number) => page.locator(`[data-row="${index}"] a`).waitFor();
  /** The first page is there, and what the list holds is known. */
  const listed = async (page: Page) => {
    await open(page, `/experiments/${experiment}`);
    await page.waitForFunction(([selector, rows]) => document.querySelector(selector)?.getAttribute('aria-rowcount') === rows, [
      LIST,
      String(runs + 1),
    ] as const);
    await rowAt(page, 0);
  };
  const path = `/experiments/${experiment}`;
  const jump = (page: Page, share: number) => list(page).evaluate((element, at) => void (element.scrollTop = element.scrollHeight * at), share);
  const compared = `/compare?runs=${param(runIds)}`;
  return [
    {
      name: 'open the experiment, to the first rows',
      aim: 1000,
      run: (page) =>
        until(
          () => open(page, path),
          () => rowAt(page, 0),
        ),
    },
    {
      name: 'scroll 300 frames of 120 px: longest frame',
      aim: 100,
      run: async (page) => {
        await listed(page);
        return await scrollFrames(page, LIST, 120, 300);
      },
    },
    {
      name: 'jump to the middle, to its rows',
      aim: 1000,
      run: async (page) => {
        await listed(page);
        return await until(
          () => jump(page, 0.5),
          () => rowAt(page, Math.floor(runs * 0.5)),
        );
      },
    },
    {
      name: 'the End key, to the last row',
      aim: 1000,
      run: async (page) => {
        await listed(page);
        await page.locator('[data-row="0"]').focus();
        return await until(
          () => page.keyboard.press('End'),
          () => row(page, 'run-0'),
        );
      },
    },
    {
      name: 'filter by a metric, to the first rows',
      aim: 1000,
      run: async (page) => {
        await listed(page);
        const box = page.getByRole('textbox', { name: 'Filter runs' });
        await box.fill('metrics.m03 > 0.999');
        return await until(
          () => page.keyboard.press('Enter'),
          () =>
            page.waitForFunction(([selector, rows]) => Number(document.querySelector(selector)?.getAttribute('aria-rowcount')) < rows, [
              LIST,
              runs / 4,
            ] as const),
        );
      },
    },
    {
      name: 'sort by a metric, to the first rows',
      aim: 1000,
      run: async (page) => {
        await listed(page);
        const first = await page.locator('[data-row="0"] a').innerText();
        const header = page.getByRole('columnheader', { name: 'm02' }).getByRole('button');
        return await until(
          () => header.click(),
          () => page.waitForFunction((name) => document.querySelector('[data-row="0"] a')?.textContent !== name, first),
        );
      },
    },
    {
      name: 'group all runs by a param, to mean ± spread of 5 metrics',
      aim: 1500,
      run: async (page) => {
        await listed(page);
        const group = `?group=${param(['p:p00'])}`;
        return await until(
          () => open(page, `${path}${group}`),
          () => page.locator('[data-group] [title^="mean "]').first().waitFor(),
        );
      },
    },
    {
      name: 'open a group of a tenth of the runs, to its runs',
      aim: 1000,
      run: async (page) => {
        await open(page, `${path}?group=${param(['p:p00'])}`);
        const group = page.locator('[data-group]').first();
        await group.waitFor();
        return await until(
          () => group.getByRole('button').click(),
          () => rowAt(page, 1),
        );
      },
    },
    {
      name: 'scatter plot of 10,000 runs, to its points',
      aim: 3000,
      run: (page) =>
        until(
          () => open(page, `${path}?plot=true&x=m%3Am00&y=m%3Am01`),
          () => page.getByRole('application', { name: /^Scatter plot/ }).waitFor(),
        ),
    },
    {
      name: 'compare 200 runs, to the table',
      aim: 1500,
      run: (page) =>
        until(
          () => open(page, compared),
          () => page.getByRole('table', { name: 'Runs side by side' }).getByText('m00').waitFor(),
        ),
    },
    {
      name: `open an experiment with ${wide.keys.toLocaleString('en-US')} metric columns, to the first rows`,
      aim: 1000,
      run: (page) =>
        until(
          () => open(page, `/experiments/${wide.experiment}`),
          () => rowAt(page, 0),
        ),
    },
    {
      name: 'the same: open the column picker, to its list',
      aim: 1000,
      run: async (page) => {
        await open(page, `/experiments/${wide.experiment}`);
        await rowAt(page, 0);
        return await until(
          () => page.getByRole('button', { name: /^Columns/ }).click(),
          () => page.getByText(`Metrics (${wide.keys})`).waitFor(),
        );
      },
    },
    {
      name: 'the same: search the column picker, to what it finds',
      aim: 1000,
      run: async (page) => {
        await open(page, `/experiments/${wide.experiment}`);
        await rowAt(page, 0);
        await page.getByRole('button', { name: /^Columns/ }).click();
        await page.getByText(`Metrics (${wide.keys})`).waitFor();
        return await until(
          () => page.getByRole('textbox', { name: 'Search columns' }).fill('layer_7/unit_13'),
          () => page.getByRole('checkbox', { name: 'layer_7/unit_13' }).waitFor(),
        );
      },
    },
    {
      name: `open a run with ${wide.keys.toLocaleString('en-US')} metrics, to its table`,
      aim: 1000,
      run: (page) =>
        until(
          () => open(page, `/runs/${wide.runIds[0]}`),
          () =>
            page
              .getByText(/layer_0/)
              .first()
              .waitFor(),
        ),
    },
    {
      name: `compare two runs of ${wide.keys.toLocaleString('en-US')} metrics, to the table`,
      aim: 2000,
      run: (page) =>
        until(
          () => open(page, `/compare?runs=${param(wide.runIds)}`),
          () => page.getByRole('table', { name: 'Runs side by side' }).getByText('layer_0/unit_0').waitFor(),
        ),
    },
  ];
}

const timeOf = (result: number | Frames): number => (typeof result === 'number' ? result : result.longest);

/** A page of its own, so that nothing is cached in it; the browser's cache of scripts stays, as it does for a user. */
async function onPage<T>(browser: Browser, work: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(60_000);
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
}

async function run(context: Context) {
  const { quick, scratch, say } = context;
  // BENCH_RUNS, BENCH_STEPS: another size, and only steps whose names hold a text, to try things out.
  const runs = Number(process.env['BENCH_RUNS'] ?? (quick ? 2000 : 100_000));
  const keys = 12_000;
  const loaded = await binnacleData(context, { runs, metrics: 20, params: 20 });
  // What is logged here must not stay in the database that others search.
  const dir = join(scratch, 'interface');
  cpSync(loaded, dir, { recursive: true });
  // A browser is many processes: both have all cores, as on a user's own machine.
  pinSelf(ALL);
  const server = await startBinnacle({ dir, cores: ALL });
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    say(`logging two runs of ${keys} metrics …`);
    const wide = { ...(await logWideRuns(server.url, keys, 2)), keys };
    const connection = new Connection(server.url);
    const experiment = await experimentId(connection);
    const found = await connection.json<{ runs: { id: string }[] }>('POST', '/api/binnacle/v1/runs/search', { experimentIds: [experiment], limit: 200 });
    connection.close();
    const only = process.env['BENCH_STEPS'] ?? '';
    const all = steps({ url: server.url, experiment, runs, runIds: found.runs.map(({ id }) => id), wide }).filter(({ name }) => name.includes(only));
    const measured = [];
    for (const step of all) {
      const results: (number | Frames)[] = [];
      // The first warms what compiles and caches, and does not count.
      for (let i = -1; i < (quick ? 2 : REPEATS); i++) {
        const result = await onPage(browser, (page) => step.run(page));
        if (i >= 0) results.push(result);
      }
      const times = results.map(timeOf);
      measured.push({ name: step.name, aim: step.aim, times, results });
      say(`${step.name}: ${figure(median(times))} ms`);
    }
    return {
      about: `The interface in Chromium over ${runs.toLocaleString('en-US')} runs × 20 metrics × 20 params, and over an experiment with ${keys.toLocaleString('en-US')} metric columns: from a click, a key or an address to what it asks for being on the page.`,
      settings: [
        `Headless Chromium, 1440 × 900, a fresh browser context each time; median of ${REPEATS} after one that does not count. Server and browser share all cores of the machine.`,
        'The times hold everything: loading the application where a page is opened, requests, the database, drawing. A frame is the time between two draws.',
        'There is no other side: the aims are what feels immediate.',
      ],
      tables: [
        {
          header: ['What', 'Median ms', 'Slowest ms', 'Aim ms'],
          rows: measured.map(({ name, aim, times }) => [name, figure(median(times)), figure(Math.max(...times)), `< ${aim.toLocaleString('en-US')}`]),
        },
      ],
      aims: measured.map(({ name, aim, times }) => ({ what: name, measured: median(times), better: 'lower' as const, bound: aim, unit: 'ms' })),
      raw: { runs, keys, measured },
    };
  } finally {
    await browser.close();
    await server.stop();
    pinSelf(CLIENT);
  }
}

export const userInterface: Benchmark = { name: 'interface', title: 'The interface at scale', run };
