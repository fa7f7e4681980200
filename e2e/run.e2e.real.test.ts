import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sum } from '../packages/server/test/support/onnx-graphs.ts';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

/** A run's page in Chromium: series of texts, histograms and files, forks, hardware, source, note and lineage. */
let server: Running;
let browser: Browser;
interface Run {
  id: string;
  artifactUri: string;
}
const made = { parent: {} as Run, fork: {} as Run, empty: {} as Run };
const START = Date.UTC(2001, 4, 14, 9, 0, 0);

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
const api = <T>(path: string, body: unknown, method = 'POST'): Promise<T> => send<T>(method, `/api/binnacle/v1${path}`, body);
async function put(run: Run, path: string, body: string): Promise<void> {
  const at = `${run.artifactUri.replace(/^mlflow-artifacts:\//, '')}/${path}`
    .split('/')
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/');
  const response = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${at}`, { method: 'PUT', body });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}
const picture = (step: number): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${200 + step}" height="120"><rect width="100%" height="100%" fill="#${step % 2 === 0 ? '0072b2' : 'c04f00'}"/></svg>`;
const logLines = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    key: 'logs/train',
    value: `epoch ${from + i} \u001b[32mok\u001b[0m loss=${(1 / (from + i + 1)).toFixed(4)}`,
    step: from + i,
    timestamp: START + (from + i) * 1000,
  }));
const bell = (center: number, width: number, bins: number) => {
  const edges = Array.from({ length: bins + 1 }, (_, i) => center - 3 * width + (6 * width * i) / bins);
  const counts = Array.from({ length: bins }, (_, i) =>
    Math.round(1000 * Math.exp(-((((edges[i] as number) + (edges[i + 1] as number)) / 2 - center) ** 2) / (2 * width * width))),
  );
  return { edges, counts };
};

async function visit(
  path: string,
  work: (page: Page) => Promise<void>,
  options: { colorScheme?: 'dark' | 'light'; width?: number; allowed?: RegExp } = {},
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: 900 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(15_000);
  try {
    const { page, complaints } = await openPage(context);
    await page.goto(`${server.url}/ui${path}`);
    await settled(page);
    await work(page);
    expect(complaints.filter((text) => options.allowed === undefined || !options.allowed.test(text))).toEqual([]);
  } finally {
    await context.close();
  }
}
const searchOf = (page: Page) => new URL(page.url()).searchParams;

beforeAll(async () => {
  server = await startEmpty();
  browser = await openBrowser();
  made.empty = await api('/runs', { experiment: 'rich', name: 'empty' });
  made.parent = await api('/runs', {
    experiment: 'rich',
    name: 'parent',
    tags: {
      'mlflow.source.name': 'train.py',
      'mlflow.source.type': 'LOCAL',
      'mlflow.source.git.commit': '0123456789abcdef0123456789abcdef01234567',
      'mlflow.source.git.branch': 'topic',
      'mlflow.source.git.repoURL': 'https://me:secret@github.com/team/repo.git',
      'mlflow.source.git.dirty': 'true',
      'mlflow.note.content': '# What it was for\n\nA **first** try, see [the plot](plots/0.svg).\n\n<script>alert(1)</script>',
    },
  });
  const { id } = made.parent;
  await put(made.parent, 'source/uncommitted.diff', 'diff --git a/t.py b/t.py\n--- a/t.py\n+++ b/t.py\n@@ -1 +1 @@\n-rate = 0.1\n+rate = 0.2\n');
  await put(made.parent, 'source/train.py', 'print(1)\n');
  for (let step = 0; step < 6; step += 1) await put(made.parent, `plots/${step}.svg`, picture(step));
  await put(made.parent, 'plots/note.html', '<p>a page</p><script>document.body.append("drawn")</script>');
  const hardware = [
    'cpu_utilization_percentage',
    'system_memory_usage_megabytes',
    'gpu_0_utilization_percentage',
    'gpu_0_memory_usage_megabytes',
    'gpu_1_utilization_percentage',
    'disk_usage_percentage',
    'network_receive_megabytes',
  ];
  await api(`/runs/${id}/log`, {
    metrics: [
      ...Array.from({ length: 21 }, (_, i) => ({ key: 'train/loss', value: 1 / (1 + i * 0.5), step: i * 0.5, timestamp: START + i * 1000 })),
      ...Array.from({ length: 21 }, (_, i) => ({ key: 'train/accuracy', value: 1 - 1 / (1 + i), step: i * 0.5, timestamp: START + i * 1000 })),
      ...hardware.flatMap((key, k) =>
        Array.from({ length: 30 }, (_, i) => ({ key: `system/${key}`, value: 20 + 10 * k + 5 * Math.sin(i / 3), step: i, timestamp: START + i * 5000 })),
      ),
    ],
    strings: logLines(0, 1200),
    histograms: Array.from({ length: 20 }, (_, i) => ({
      key: 'weights/dense',
      step: i * 0.5,
      timestamp: START + i * 1000,
      ...bell(i / 10, 1 + i / 20, 20 + (i % 3)),
    })),
    files: [
      ...Array.from({ length: 6 }, (_, step) => ({ key: 'predictions', path: `plots/${step}.svg`, step, timestamp: START + step })),
      { key: 'reports/page', path: 'plots/note.html', step: 0, timestamp: START },
    ],
  });
  made.fork = await api('/runs', { experiment: 'rich', name: 'child', fork: { runId: id, step: 4.5 } });
  await api(`/runs/${made.fork.id}/log`, {
    metrics: Array.from({ length: 11 }, (_, i) => ({ key: 'train/loss', value: 0.3 - i / 50, step: 5 + i * 0.5, timestamp: START + 60_000 + i * 1000 })),
    histograms: Array.from({ length: 5 }, (_, i) => ({ key: 'weights/dense', step: 5 + i, timestamp: START + 60_000, ...bell(-1, 1, 16) })),
  });
  await send('POST', '/api/2.0/mlflow/runs/log-inputs', {
    run_id: id,
    datasets: [{ tags: [{ key: 'mlflow.data.context', value: 'training' }], dataset: { name: 'flights', digest: 'd1', source_type: 'local', source: '{}' } }],
  });
  await api('/models', { name: 'delays' });
  const upload = await fetch(`${server.url}/api/binnacle/v1/models/delays/versions?filename=model.onnx&runId=${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: sum(2) as BodyInit,
  });
  expect(upload.status, await upload.text()).toBe(200);
  await api('/endpoints/live', { model: 'delays', traffic: [{ version: 1 }] }, 'PUT');
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('texts step by step', () => {
  test('begin at the end, go back as one scrolls, are searched, and keep their place', async () => {
    await visit(`/runs/${made.parent.id}?tab=series&entry=logs/train&kind=string`, async (page) => {
      const log = page.getByRole('log', { name: 'logs/train' });
      await log.getByText('epoch 1199 ok').waitFor();
      await page.getByText('1,200 entries').waitFor();
      expect(await log.locator('.bn-log-row').count()).toBeLessThan(120);
      await page.getByText('Following').waitFor();
      await log.evaluate((element) => element.scrollTo(0, 5000));
      await page.getByRole('button', { name: 'Go to the end' }).waitFor();
      const top = () =>
        log.evaluate((element) => {
          const box = element.getBoundingClientRect();
          return [...element.querySelectorAll('.bn-log-row')].find((row) => row.getBoundingClientRect().bottom > box.top + 1)?.textContent ?? '';
        });
      await log.evaluate((element) => element.scrollTo(0, 150));
      // More is read in front, and the line at the top is still one of those that were there.
      await expect.poll(async () => Number(/epoch (\d+)/.exec(await top())?.[1] ?? -1), { timeout: 10_000 }).toBeGreaterThan(690);
      await page.getByRole('button', { name: 'Load earlier entries' }).click();
      await expect.poll(() => page.getByRole('button', { name: 'Load earlier entries' }).count(), { timeout: 10_000 }).toBe(0);
      expect(Number(/epoch (\d+)/.exec(await top())?.[1] ?? -1)).toBeGreaterThan(0);
      await page.getByRole('textbox', { name: 'Search the log' }).fill('OK loss=0.2500');
      await page.getByText('1 match in 1,200 entries').waitFor();
      expect(await log.locator('mark').first().innerText()).toBe('ok loss=0.2500');
      expect(await log.locator('.bn-log-row').count()).toBe(1);
    });
  });
  test('begin at the beginning when asked to, and go on to the end as one scrolls down', async () => {
    await visit(`/runs/${made.parent.id}?tab=series&entry=logs/train&kind=string`, async (page) => {
      const log = page.getByRole('log', { name: 'logs/train' });
      await log.getByText('epoch 1199 ok').waitFor();
      await page.getByRole('button', { name: 'Go to the beginning' }).click();
      await log.getByText('epoch 0 ok').waitFor();
      expect(await log.evaluate((e) => e.scrollTop)).toBe(0);
      await expect
        .poll(
          async () => {
            await log.evaluate((element) => element.scrollTo(0, element.scrollHeight));
            return log.getByText('epoch 1199 ok').isVisible();
          },
          { timeout: 15_000 },
        )
        .toBe(true);
      await page.getByText('Following').waitFor();
      await log.evaluate((element) => element.scrollTo(0, 2000));
      await page.getByRole('textbox', { name: 'Search the log' }).fill('epoch 1199');
      await page.getByText('1 match in 1,200 entries').waitFor();
    });
  });
  test('follow while the run goes on, unless one reads elsewhere', async () => {
    await visit(`/runs/${made.parent.id}?tab=series&entry=logs/train&kind=string`, async (page) => {
      const log = page.getByRole('log', { name: 'logs/train' });
      await log.getByText('epoch 1199 ok').waitFor();
      await api(`/runs/${made.parent.id}/log`, { strings: logLines(1200, 3) });
      await log.getByText('epoch 1202 ok').waitFor();
      await expect.poll(() => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)).toBeLessThan(40);
      await log.evaluate((element) => element.scrollTo(0, 3000));
      await page.getByRole('button', { name: 'Go to the end' }).waitFor();
      const before = await log.evaluate((e) => e.scrollTop);
      await api(`/runs/${made.parent.id}/log`, { strings: logLines(1203, 2) });
      await page.getByText('1,205 entries').waitFor();
      expect(Math.abs((await log.evaluate((e) => e.scrollTop)) - before)).toBeLessThan(40);
      await page.getByRole('button', { name: 'Go to the end' }).click();
      await log.getByText('epoch 1204 ok').waitFor();
    });
  });
});

test('histograms are a map over steps, and the one of a step', async () => {
  await visit(`/runs/${made.parent.id}?tab=series`, async (page) => {
    await page.getByRole('button', { name: /dense/ }).click();
    await page.getByRole('img', { name: /^weights\/dense over 20 steps/ }).waitFor();
    await page.getByRole('img', { name: /^weights\/dense at step 9\.5: .* values in 21 bins/ }).waitFor();
    await page.getByRole('button', { name: 'Step of the histogram: the step before' }).click();
    await page.getByRole('img', { name: /at step 9: .* values in 20 bins/ }).waitFor();
    expect(searchOf(page).get('step')).toBe('9');
    await page.getByRole('slider', { name: 'Step of the histogram' }).focus();
    await page.keyboard.press('Home');
    await page.getByRole('img', { name: /at step 0:/ }).waitFor();
    await page.reload();
    await page.getByRole('img', { name: /at step 0:/ }).waitFor();
  });
  await visit(`/runs/${made.fork.id}?tab=series&entry=weights/dense&kind=histogram&step=2`, async (page) => {
    await page.getByText('from the run that this one was forked from').waitFor();
    await page.locator('svg').getByText('forked').waitFor();
  });
});

test('files are shown in place over steps, and two beside each other', async () => {
  await visit(`/runs/${made.parent.id}?tab=series&entry=predictions&kind=file`, async (page) => {
    await page.getByRole('img', { name: 'plots/5.svg' }).waitFor();
    await page.getByRole('button', { name: 'Step of the file: the step before' }).click();
    await page.getByRole('img', { name: 'plots/4.svg' }).waitFor();
    await page.getByRole('switch', { name: 'Side by side' }).check({ force: true });
    await page.getByRole('img', { name: 'plots/0.svg' }).waitFor();
    await expect.poll(() => page.getByRole('img', { name: 'plots/4.svg' }).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(204);
    await page.getByRole('treegrid', { name: 'Series' }).getByRole('button', { name: /page/ }).click();
    await page.frameLocator('iframe').getByText('drawn').waitFor();
  });
  // What a fork has inherited is shown from where it lies.
  await visit(`/runs/${made.fork.id}?tab=series&entry=predictions&kind=file`, async (page) => {
    const image = page.getByRole('img', { name: 'plots/4.svg' });
    await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(204);
  });
});

test('a fork says what it comes from, its parent what came of it, and charts keep the two apart', async () => {
  await visit(`/runs/${made.fork.id}`, async (page) => {
    await page.getByText('at step 4.5').waitFor();
    await page.getByRole('link', { name: 'parent' }).click();
    await page.getByRole('heading', { name: 'parent', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'child' }).waitFor();
  });
  await visit(`/runs/${made.fork.id}?tab=charts&q=train/loss`, async (page) => {
    const chart = page.getByRole('figure', { name: /^train\/loss\. train\/loss, inherited: .* from 0 to 5, .* train\/loss: 11 points from 5 to 10/ });
    await chart.waitFor();
    await chart.getByText('train/loss, inherited').waitFor();
  });
});

test('hardware has a tab of its own, in groups with units, and is not among the metrics', async () => {
  await visit(`/runs/${made.parent.id}`, async (page) => {
    await page.getByRole('heading', { name: 'Metrics (2)' }).waitFor();
    expect(await page.getByText('cpu_utilization_percentage').count()).toBe(0);
    await page.getByRole('tab', { name: 'System' }).click();
    const titles = page.getByRole('tabpanel').locator('section > h2.mantine-Title-root');
    await page
      .getByRole('figure', { name: /^Utilization\. Utilization: .*%/ })
      .first()
      .waitFor();
    expect(await titles.allInnerTexts()).toEqual(['CPU', 'Memory', 'GPU 0', 'GPU 1', 'Disk', 'Network']);
    await page.getByRole('figure', { name: /System memory usage: .* MB/ }).waitFor();
    await page.getByRole('tab', { name: 'Charts' }).click();
    await page.getByText('2 charts').waitFor();
  });
  await visit(`/runs/${made.empty.id}`, async (page) => expect(await page.getByRole('tab', { name: 'System' }).count()).toBe(0));
});

test('the source names the commit, links only to the web, and shows what was not committed', async () => {
  await visit(`/runs/${made.parent.id}`, async (page) => {
    const repository = page.getByRole('link', { name: 'https://github.com/team/repo.git' });
    expect([await repository.getAttribute('href'), await repository.getAttribute('rel')]).toEqual(['https://github.com/team/repo', 'noopener noreferrer']);
    expect(await page.content()).not.toContain('secret');
    await page.getByRole('button', { name: 'Copy the commit' }).waitFor();
    await page.getByText('with uncommitted changes').waitFor();
    await page.getByRole('button', { name: 'Uncommitted changes' }).click();
    expect(await page.locator('.bn-diff .added').innerText()).toBe('+rate = 0.2');
    await page.getByRole('link', { name: 'train.py' }).click();
    await page.getByText('print(1)').waitFor();
  });
});

test('a note is read as Markdown, and edited with a preview', async () => {
  await visit(`/runs/${made.parent.id}`, async (page) => {
    await page.getByRole('heading', { name: 'What it was for' }).waitFor();
    await page.getByText('<script>alert(1)</script>').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('textbox', { name: 'Note' }).fill('One\nTwo ![p](plots/1.svg)\n\n- *three*');
    await page.getByRole('tab', { name: 'Preview' }).click();
    await page.getByRole('listitem').filter({ hasText: 'three' }).waitFor();
    await expect.poll(() => page.getByRole('img', { name: 'p', exact: true }).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(201);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Edit' }).waitFor();
    await page.reload();
    await page.locator('.bn-md em').getByText('three').waitFor();
  });
});

test.each(['run', 'model'])('the lineage of a %s leads from the dataset to the endpoint, in a graph and in words', async (of) => {
  await visit(of === 'run' ? `/runs/${made.parent.id}?tab=lineage` : '/models/delays?tab=lineage', async (page) => {
    const graph = page.getByRole('group', { name: 'Lineage graph' });
    for (const name of ['run parent', 'version delays v1', 'endpoint live']) await graph.getByRole('link', { name }).waitFor();
    await graph.locator('text', { hasText: 'flights' }).waitFor();
    await page.getByText('As a list').click();
    const items = await page.locator('details li').allInnerTexts();
    expect(items.map((text) => text.replace(/ \([0-9a-f]{32}\)/g, '')).sort()).toEqual(
      ['dataset flights (d1) → training → run parent', 'run parent → made → version delays v1', 'version delays v1 → serves → endpoint live'].sort(),
    );
    await graph.getByRole('link', { name: 'endpoint live' }).click();
    await page.getByRole('heading', { name: 'live', level: 1 }).waitFor();
  });
});
test('a run without a dataset or a version says how they come about', async () => {
  await visit(`/runs/${made.empty.id}?tab=lineage`, async (page) => page.getByText('names no dataset').waitFor());
});

describe.each([
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 1440 },
  { colorScheme: 'light', width: 390 },
] as const)('$colorScheme, $width wide', (options) => {
  test.each([
    ['overview', 'parent', ''],
    ['log', 'parent', '?tab=series&entry=logs/train&kind=string'],
    ['histograms', 'fork', '?tab=series&entry=weights/dense&kind=histogram'],
    ['files', 'parent', '?tab=series&entry=predictions&kind=file'],
    ['charts', 'fork', '?tab=charts'],
    ['system', 'parent', '?tab=system'],
    ['lineage', 'parent', '?tab=lineage'],
    ['empty', 'empty', ''],
    ['empty-series', 'empty', '?tab=series'],
  ] as const)('%s has no serious finding of axe, and fits', async (name, run, query) => {
    await visit(
      `/runs/${made[run].id}${query}`,
      async (page) => {
        await page.waitForTimeout(700);
        const shots = process.env['BINNACLE_E2E_SHOTS'];
        if (shots !== undefined) await page.screenshot({ path: `${shots}/run-${name}-${options.colorScheme}-${options.width}.png`, fullPage: true });
        expect(await seriousFindings(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      },
      options,
    );
  });
});
