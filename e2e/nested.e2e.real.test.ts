import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

/** Nested names in Chromium: a small run, and one with 12,000 metrics and 600 params. */
let server: Running;
let browser: Browser;
const made = { experiment: '', small: '', large: '' };

async function api<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(`${server.url}/api/binnacle/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
async function visit(path: string, work: (page: Page) => Promise<void>, options: { colorScheme?: 'dark' | 'light'; width?: number } = {}): Promise<void> {
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
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}
const searchOf = (page: Page) => new URL(page.url()).searchParams;

beforeAll(async () => {
  server = await startEmpty();
  browser = await openBrowser();
  const small = await api<{ id: string; experimentId: string }>('/runs', {
    experiment: 'nested',
    name: 'small',
    params: { 'model/depth': '6', 'model/rate': '0.1', seed: '1' },
  });
  made.small = small.id;
  made.experiment = small.experimentId;
  await api(`/runs/${small.id}/log`, {
    metrics: ['epoch', 'train/loss', 'train/accuracy', 'val/loss', 'val/accuracy'].flatMap((key) =>
      [0, 1, 2].map((step) => ({ key, value: 1 / (step + 1), step })),
    ),
  });
  const keys = Array.from({ length: 12_000 }, (_, i) => `layer_${String(i % 300).padStart(3, '0')}/weight_${String(i).padStart(5, '0')}`);
  const large = await api<{ id: string }>('/runs', {
    experiment: 'nested-large',
    name: 'large',
    params: Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`optimizer/group_${i % 20}/p${i}`, String(i)])),
  });
  made.large = large.id;
  for (const step of [0, 1])
    for (let from = 0; from < keys.length; from += 6000)
      await api(`/runs/${large.id}/log`, { metrics: keys.slice(from, from + 6000).map((key, i) => ({ key, value: i + step, step })) });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test('metrics and params are trees whose closed branches stay in the link', async () => {
  await visit(`/runs/${made.small}`, async (page) => {
    const metrics = page.getByRole('treegrid', { name: 'Metrics' });
    await metrics.getByRole('gridcell', { name: 'loss', exact: true }).first().waitFor();
    expect(await metrics.getByRole('row').count()).toBe(7);
    await metrics.getByRole('button', { name: /^train/ }).click();
    await expect.poll(() => metrics.getByRole('row').count()).toBe(5);
    expect(searchOf(page).get('fold')).toBe('["train"]');
    await page.reload();
    await expect.poll(() => metrics.getByRole('row').count(), { timeout: 15_000 }).toBe(5);
    await metrics.getByRole('button', { name: /^train/ }).focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => metrics.getByRole('row').count()).toBe(7);
    await page.getByRole('button', { name: 'Collapse all params' }).click();
    await expect.poll(() => page.getByRole('treegrid', { name: 'Params' }).getByRole('row').count()).toBe(2);
    expect(searchOf(page).get('pfold')).toBe('["/"]');
    await page.getByRole('textbox', { name: 'Search metrics' }).fill('loss');
    await metrics.getByRole('gridcell', { name: 'train/loss', exact: true }).waitFor();
  });
});

test('charts stand in sections by the first name, and a closed one stays closed', async () => {
  await visit(`/runs/${made.small}?tab=charts`, async (page) => {
    await page.getByRole('figure', { name: /^val\/loss\./ }).waitFor();
    await page.getByRole('button', { name: /^val/, expanded: true }).click();
    await expect.poll(() => page.getByRole('region', { name: 'val/loss' }).count()).toBe(0);
    await page.reload();
    await page.getByRole('figure', { name: /^train\/loss\./ }).waitFor();
    expect(await page.getByRole('region', { name: 'val/loss' }).count()).toBe(0);
    await page.getByRole('button', { name: /^val/, expanded: false }).waitFor();
  });
});

test('the column picker nests its keys, and a branch is picked at once', async () => {
  await visit(`/experiments/${made.experiment}`, async (page) => {
    await page.getByRole('button', { name: /^Columns/ }).click();
    await page.getByRole('button', { name: 'None' }).click();
    await page.getByRole('checkbox', { name: 'All of train' }).check();
    await expect.poll(() => searchOf(page).get('cols')).toBe('["a:started","m:train/accuracy","m:train/loss"]');
    await page.getByRole('button', { name: /^train/, expanded: true }).click();
    await expect.poll(() => page.getByRole('checkbox', { name: 'train/loss' }).count()).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
  });
});

describe('12,000 metrics in 300 branches', () => {
  test('are a tree of which only what is in view is mounted', async () => {
    await visit(`/runs/${made.large}`, async (page) => {
      const metrics = page.getByRole('treegrid', { name: 'Metrics' });
      await metrics.getByRole('row').first().waitFor();
      expect(await metrics.getByRole('row').count()).toBeLessThan(60);
      await page.getByRole('button', { name: 'Collapse all metrics' }).click();
      await expect.poll(() => metrics.getAttribute('aria-rowcount'), { timeout: 30_000 }).toBe('300');
      const last = metrics.getByRole('button', { name: /^layer_299/ });
      // The height follows the rows, and the rows what has been measured: on a busy machine one jump may fall short.
      await expect
        .poll(
          async () => {
            await metrics.evaluate((element) => element.scrollTo(0, element.scrollHeight));
            return last.isVisible();
          },
          { timeout: 30_000 },
        )
        .toBe(true);
      await last.click();
      await expect.poll(() => metrics.getAttribute('aria-rowcount')).toBe('340');
      expect(await metrics.getByRole('row').count()).toBeLessThan(60);
      expect(await page.getByRole('treegrid', { name: 'Params' }).getByRole('row').count()).toBeLessThan(60);
    });
  });
  test('are charts of which only those in view are mounted, down to the last', async () => {
    await visit(`/runs/${made.large}?tab=charts`, async (page) => {
      await page.getByText('12,000 charts').waitFor();
      await page.getByRole('figure', { name: /^layer_000\/weight_00000\./ }).waitFor();
      expect(await page.getByRole('region', { name: /^layer_/ }).count()).toBeLessThan(60);
      await page.getByRole('button', { name: 'Collapse all sections' }).click();
      const toEnd = (what: ReturnType<typeof page.getByRole>) =>
        expect
          .poll(
            async () => {
              await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
              return what.isVisible();
            },
            { timeout: 30_000 },
          )
          .toBe(true);
      const last = page.getByRole('button', { name: /^layer_299/ });
      await toEnd(last);
      await last.click();
      await toEnd(page.getByRole('figure', { name: /^layer_299\/weight_11999\./ }));
      expect(await page.getByRole('region', { name: /^layer_/ }).count()).toBeLessThan(60);
    });
  });
});

describe.each([
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 1440 },
  { colorScheme: 'light', width: 390 },
] as const)('$colorScheme, $width wide', (options) => {
  test.each(['', '?tab=charts'])('a run with nested names%s has no serious finding of axe, and fits', async (tab) => {
    await visit(
      `/runs/${made.small}${tab}`,
      async (page) => {
        await page.getByRole('button', { name: /^train/, expanded: true }).waitFor();
        await page.waitForTimeout(400);
        const shots = process.env['BINNACLE_E2E_SHOTS'];
        if (shots !== undefined) await page.screenshot({ path: `${shots}/nested${tab.replace(/\W/g, '-')}-${options.colorScheme}-${options.width}.png` });
        expect(await seriousFindings(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      },
      options,
    );
  });
});
