import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

/** Chromium against a server that holds nothing, then one that holds much, and one on which something goes on. */
let server: Running;
let browser: Browser;
beforeAll(async () => {
  server = await startEmpty();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function api<T>(method: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(`${server.url}/api/binnacle/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
const createRun = (body: Record<string, unknown>) => api<{ id: string; experimentId: string }>('POST', '/runs', body);
async function visit(path: string, work: (page: Page) => Promise<void>, allowed: RegExp[] = []): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(15_000);
  try {
    const { page, complaints } = await openPage(context);
    await page.goto(`${server.url}/ui${path}`);
    await settled(page);
    await work(page);
    expect(complaints.filter((c) => !allowed.some((pattern) => pattern.test(c)))).toEqual([]);
  } finally {
    await context.close();
  }
}

describe('an empty server', () => {
  test.each([
    ['/', 'Python', 'mlflow.set_tracking_uri'],
    ['/experiments', 'Python', 'mlflow.set_tracking_uri'],
    ['/experiments/0', 'curl', '"experiment": "Default"'],
    ['/models', 'npx binnacle', 'models push'],
    ['/endpoints', 'npx binnacle', 'binnacle deploy'],
    ['/batch', 'npx binnacle', 'batch run'],
    ['/monitoring', 'npx binnacle', 'binnacle deploy'],
  ])('%s shows what fills it', async (path, language, text) => {
    await visit(path, async (page) => {
      await page.getByRole('tab', { name: language, exact: true }).click();
      await page.getByLabel(`${language} snippet`, { exact: true }).getByText(text).first().waitFor();
      expect(await page.getByLabel(`${language} snippet`, { exact: true }).innerText()).toContain(server.url);
      expect(await seriousFindings(page)).toEqual([]);
    });
  });
});

test('a series of 100,000 points draws its chart, with its spike', async () => {
  const { id } = await createRun({ experiment: 'long', name: 'long' });
  for (let from = 0; from < 100_000; from += 10_000)
    await api('POST', `/runs/${id}/log`, {
      metrics: Array.from({ length: 10_000 }, (_, i) => ({ key: 'loss', value: from + i === 54_321 ? 9 : 1 / (1 + (from + i) / 1000), step: from + i })),
    });
  await visit(`/runs/${id}?tab=charts`, async (page) => {
    const chart = page.getByRole('figure', { name: /^loss\./ });
    await chart.waitFor();
    expect(await chart.getAttribute('aria-label')).toMatch(/800 points from \d+ to 99,999, first 0\.\d+, last 0\.0099/);
    await page.getByText('100,000 points, as min/max buckets').waitFor();
    // Coloured pixels in a part of the canvas; axes and grid are grey.
    const coloured = (left: number, right: number, top: number, bottom: number) =>
      chart.locator('canvas').evaluate(
        (element, [l, r, t, b]) => {
          const canvas = element as HTMLCanvasElement;
          const [x, y] = [Math.round(canvas.width * l), Math.round(canvas.height * t)];
          const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
            x,
            y,
            Math.round(canvas.width * r) - x,
            Math.round(canvas.height * b) - y,
          );
          let pixels = 0;
          for (let i = 0; i < data.length; i += 4) if ((data[i + 3] as number) > 0 && (data[i + 2] as number) - (data[i] as number) > 60) pixels++;
          return pixels;
        },
        [left, right, top, bottom] as const,
      );
    await expect.poll(() => coloured(0, 1, 0.5, 1)).toBeGreaterThan(300);
    // One point in a hundred thousand stands up in the middle; at the left, where the curve is highest else, there is nothing so high.
    expect(await coloured(0.45, 0.65, 0, 0.4)).toBeGreaterThan(5);
    expect(await coloured(0, 0.4, 0, 0.4)).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
});

test('a metric that is logged without steps is a line over time', async () => {
  const { id } = await createRun({ experiment: 'long', name: 'stepless' });
  const now = Date.now();
  await api('POST', `/runs/${id}/log`, { metrics: [5, 4, 3].map((value, i) => ({ key: 'queue', value, timestamp: now - 60_000 * (3 - i) })) });
  await visit(`/runs/${id}?tab=charts`, async (page) => {
    await page.getByText('logged without steps: over time').waitFor();
    expect(await page.getByRole('figure', { name: /^queue\./ }).getAttribute('aria-label')).toMatch(/: 3 points from .*, first 5, last 3/);
  });
});

describe('an experiment with 2,000 runs', () => {
  const ids: string[] = [];
  let experiment = '';
  beforeAll(async () => {
    for (let from = 0; from < 2000; from += 50) {
      const made = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          createRun({
            experiment: 'many',
            name: `run-${String(from + i).padStart(4, '0')}`,
            startedAt: 1_700_000_000_000 + (from + i) * 1000,
            params: Object.fromEntries(Array.from({ length: 30 }, (_, p) => [`p${String(p).padStart(2, '0')}`, String((from + i) % (p + 2))])),
          }),
        ),
      );
      ids.push(...made.map((r) => r.id));
      experiment = made[0]?.experimentId ?? '';
    }
    await Promise.all(
      ids.slice(-200).map((id, run) =>
        api('POST', `/runs/${id}/log`, {
          metrics: Array.from({ length: 100 }, (_, i) => ({ key: 'loss', value: 1 / (i + 1) + run / 1000, step: i * (run + 3) })),
        }),
      ),
    );
  });

  test('shows the rows in view only, all the way down', async () => {
    await visit(`/experiments/${experiment}`, async (page) => {
      const grid = page.getByRole('grid', { name: 'Runs' });
      const rows = grid.locator('[data-row]');
      await page.getByText('run-1999').waitFor();
      expect(await rows.count()).toBeLessThan(80);
      for (let i = 0; i < 40 && (await grid.getAttribute('aria-rowcount')) !== '2001'; i++) {
        await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        await page.waitForTimeout(250);
      }
      expect(await grid.getAttribute('aria-rowcount')).toBe('2001');
      await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await page.getByText('run-0000').waitFor();
      expect(await rows.count()).toBeLessThan(80);
      // One row can always be reached by Tab, also after the active one was scrolled away.
      expect(await grid.locator('[data-row][tabindex="0"]').count()).toBe(1);
    });
  });

  test('keeps its rows when the filter is wrong', async () => {
    await visit(
      `/experiments/${experiment}`,
      async (page) => {
        await page.getByText('run-1999').waitFor();
        const before = await page.getByRole('grid', { name: 'Runs' }).getAttribute('aria-rowcount');
        const box = page.getByRole('textbox', { name: 'Filter runs' });
        await box.fill('nonsense');
        await box.press('Enter');
        await page.locator('.mantine-InputWrapper-error').waitFor();
        expect(await page.getByRole('grid', { name: 'Runs' }).getAttribute('aria-rowcount')).toBe(before);
        expect(await page.locator('[data-row]').count()).toBeGreaterThan(10);
      },
      [/status of 400/],
    );
  });

  test('compares 200 of them with no more cells than the screen holds', async () => {
    await visit(`/compare?runs=${encodeURIComponent(JSON.stringify(ids.slice(-200)))}`, async (page) => {
      const table = page.getByRole('table', { name: 'Runs side by side' });
      await table.waitFor();
      expect(await table.getAttribute('aria-colcount')).toBe('201');
      expect(await table.locator('td, th').count()).toBeLessThan(1500);
      await page.getByRole('group', { name: 'Comparison' }).evaluate((element) => element.scrollTo(element.scrollWidth, 0));
      await page.getByRole('columnheader', { name: /run-1999/ }).waitFor();
      await page.getByRole('region', { name: 'loss' }).scrollIntoViewIfNeeded();
      await page.getByText('many lines: their points are drawn on one grid').waitFor();
      expect(await page.getByRole('figure', { name: /^loss\./ }).getAttribute('aria-label')).toContain('And 195 more lines');
    });
  });
});

describe('while a run goes on', () => {
  test('what it logs just before its end appears by itself, in the table and in the charts', async () => {
    const { id } = await createRun({ experiment: 'live', name: 'live' });
    await api('POST', `/runs/${id}/log`, { metrics: [0, 1].map((step) => ({ key: 'loss', value: 1, step })) });
    await visit(`/runs/${id}?tab=charts`, async (page) => {
      await page.getByRole('figure', { name: /^loss\./ }).waitFor();
      await api('POST', `/runs/${id}/log`, { metrics: [0, 1].map((step) => ({ key: 'accuracy', value: step, step })) });
      await page.getByRole('figure', { name: /^accuracy\./ }).waitFor({ timeout: 10_000 });
      await api('POST', `/runs/${id}/log`, { metrics: [{ key: 'loss', value: 0.25, step: 2 }] });
      await api('PATCH', `/runs/${id}`, { status: 'FINISHED' });
      await expect.poll(() => page.getByRole('figure', { name: /^loss\./ }).getAttribute('aria-label'), { timeout: 15_000 }).toContain('last 0.25');
      await page.getByText('finished').first().waitFor();
    });
  });

  test('its first metric becomes a column of its experiment', async () => {
    const { id, experimentId } = await createRun({ experiment: 'columns', name: 'first' });
    await visit(`/experiments/${experimentId}`, async (page) => {
      await page.getByText('first').first().waitFor();
      await api('POST', `/runs/${id}/log`, { metrics: [{ key: 'val_auc', value: 0.7, step: 0 }] });
      await page.getByRole('columnheader', { name: 'val_auc' }).waitFor({ timeout: 15_000 });
    });
  });

  test('a search keeps every letter that is typed', async () => {
    const { id } = await createRun({ experiment: 'live', name: 'search' });
    await api('POST', `/runs/${id}/log`, { metrics: ['validation_accuracy', 'loss'].map((key) => ({ key, value: 1, step: 0 })) });
    await visit(`/runs/${id}`, async (page) => {
      const box = page.getByRole('textbox', { name: 'Search metrics' });
      await box.pressSequentially('validation_accuracy', { delay: 45 });
      expect(await box.inputValue()).toBe('validation_accuracy');
      await expect.poll(() => new URL(page.url()).searchParams.get('q')).toBe('validation_accuracy');
      expect(await box.inputValue()).toBe('validation_accuracy');
    });
  });
});
