import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

/** Groups of runs in Chromium: 2,400 runs of three models with two seeds, more than one page holds. */
let server: Running;
let browser: Browser;
let experiment = '';

async function api<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(`${server.url}/api/binnacle/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
async function visit(search: string, work: (page: Page) => Promise<void>, options: { colorScheme?: 'dark' | 'light'; width?: number } = {}): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: 900 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(40_000);
  try {
    const { page, complaints } = await openPage(context);
    await page.goto(`${server.url}/ui/experiments/${experiment}${search}`);
    await settled(page);
    await work(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}
const GROUPED = `?group=${encodeURIComponent('["p:model"]')}`;

beforeAll(async () => {
  server = await startEmpty();
  browser = await openBrowser();
  const models = ['boosted', 'linear', 'forest'];
  for (let from = 0; from < 2400; from += 60)
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const n = from + i;
        const { id, experimentId } = await api<{ id: string; experimentId: string }>('/runs', {
          experiment: 'groups',
          name: `run-${String(n).padStart(4, '0')}`,
          startedAt: 1_700_000_000_000 + n * 1000,
          params: { model: models[n % 3] ?? '', seed: String(Math.floor(n / 3) % 2) },
        });
        experiment = experimentId;
        // Within a model half of the runs are one below, half one above the mean of 10, 20 or 30.
        await api(`/runs/${id}/log`, { metrics: [{ key: 'score', value: ((n % 3) + 1) * 10 + (Math.floor(n / 3) % 2 === 0 ? -1 : 1), step: 0 }] });
      }),
    );
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test('runs are grouped by a param: all of them are counted, with mean and deviation, and a group opens', async () => {
  await visit('', async (page) => {
    await page.locator('[data-row]').first().waitFor();
    await page.getByRole('combobox', { name: 'Group by' }).click();
    await page.getByRole('option', { name: 'model' }).click();
    await page.keyboard.press('Escape');
    const grid = page.getByRole('treegrid', { name: 'Runs' });
    const linear = grid.getByRole('row', { name: /model = linear/ });
    await expect.poll(() => linear.getByRole('button').innerText(), { timeout: 30_000 }).toMatch(/800$/);
    expect(await grid.locator('[data-group]').count()).toBe(3);
    expect(new URL(page.url()).searchParams.get('group')).toBe('["p:model"]');
    // 400 times 19 and 400 times 21: the sample deviation is sqrt(800 / 799).
    await linear.locator('[title^="mean 20 of 800 of 800 runs, standard deviation 1.0006"]').waitFor();
    expect(await linear.innerText()).toContain('20 ± 1');
    await linear.getByRole('button').click();
    await expect.poll(() => grid.getAttribute('aria-rowcount'), { timeout: 30_000 }).toBe('804');
    expect(await grid.getByRole('row').count()).toBeLessThan(80);
    await linear.focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => grid.getAttribute('aria-rowcount'), { timeout: 30_000 }).toBe('4');
  });
});

test('the grouping is in the link, groups go by the mean of the order, and a group is ticked at once', async () => {
  await visit(`?group=${encodeURIComponent('["p:model","p:seed"]')}&sort=${encodeURIComponent('metrics.`score` DESC')}`, async (page) => {
    const groups = page.locator('[data-group]');
    await expect.poll(() => groups.count(), { timeout: 30_000 }).toBe(6);
    await expect.poll(() => groups.first().innerText(), { timeout: 30_000 }).toContain('model = forest, seed = 1');
    expect(await groups.last().innerText()).toContain('model = boosted, seed = 0');
    await groups.first().getByRole('checkbox').click();
    await page.getByText(/200 runs ticked/).waitFor();
    await groups.first().getByRole('checkbox').click();
    await page.getByText(/2,400 runs of 2,400 · 6 groups/).waitFor();
    await page.getByRole('combobox', { name: 'Group by' }).focus();
    await page.keyboard.press('Backspace');
    await expect.poll(() => groups.count(), { timeout: 30_000 }).toBe(3);
    await page.keyboard.press('Backspace');
    await page.getByRole('grid', { name: 'Runs' }).waitFor();
    expect(new URL(page.url()).searchParams.get('group')).toBeNull();
  });
});

describe.each([
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 1440 },
  { colorScheme: 'light', width: 390 },
] as const)('$colorScheme, $width wide', (options) => {
  test('groups have no serious finding of axe, and fit', async () => {
    await visit(
      GROUPED,
      async (page) => {
        await page.locator('[data-group]').first().getByRole('button').click();
        await page.waitForTimeout(400);
        const shots = process.env['BINNACLE_E2E_SHOTS'];
        if (shots !== undefined) await page.screenshot({ path: `${shots}/groups-${options.colorScheme}-${options.width}.png` });
        expect(await seriousFindings(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      },
      options,
    );
  });
});
