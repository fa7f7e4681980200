import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from './server.ts';
import { openBrowser, openDemo, openPage, seriousFindings, settled } from './ui-browser.ts';

/** Chromium against a Binnacle that holds the demo's data (BINNACLE_E2E_URL, or a demo of its own). */
let demo: Running;
let browser: Browser;
let context: BrowserContext;
const found = { experiment: '', runs: [] as string[], job: '', driftWindow: 0 };

const api = async <T>(path: string, body?: unknown): Promise<T> => {
  const response = await fetch(
    `${demo.url}/api/binnacle/v1${path}`,
    body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  );
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};

beforeAll(async () => {
  demo = await openDemo();
  const { experiments } = await api<{ experiments: { id: string; name: string; runCount: number }[] }>('/experiments');
  found.experiment = experiments.find((e) => e.name === 'flight-delays')?.id ?? experiments.find((e) => e.runCount > 0)?.id ?? '';
  const { runs } = await api<{ runs: { id: string; name: string }[] }>('/runs/search', { experimentIds: [found.experiment], columns: {} });
  found.runs = runs.sort((a, b) => Number(b.name === 'boosted') - Number(a.name === 'boosted')).map((r) => r.id);
  found.job = (await api<{ jobs: { id: string }[] }>('/batch')).jobs[0]?.id ?? '';
  found.driftWindow =
    (await api<{ alarms: { feature: string | null; lastWindow: number }[] }>('/alarms?state=all')).alarms.find((a) => a.feature === 'distance')?.lastWindow ??
    0;
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

async function visit(path: string, work: (page: Page) => Promise<void>, allowed: RegExp[] = []): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const { page, complaints } = await openPage(context);
    await page.goto(`${demo.url}${path}`);
    await settled(page);
    await work(page);
    expect(complaints.filter((c) => !allowed.some((pattern) => pattern.test(c)))).toEqual([]);
  } finally {
    await context.close();
  }
}

describe.each([
  { scheme: 'light', width: 1440 },
  { scheme: 'dark', width: 1440 },
  { scheme: 'light', width: 390 },
] as const)('every page, $scheme, $width wide', ({ scheme, width }) => {
  test('opens without an error, without a serious finding of axe, and fits', async () => {
    const pages = [
      '/',
      '/experiments',
      `/experiments/${found.experiment}`,
      `/compare?runs=${encodeURIComponent(JSON.stringify(found.runs))}`,
      `/runs/${found.runs[0]}`,
      `/runs/${found.runs[0]}?tab=charts`,
      `/runs/${found.runs[0]}?tab=artifacts`,
      '/models',
      '/models/flight-delays',
      '/models/flight-delays?tab=gates',
      '/models/flight-delays?tab=lineage',
      '/models/flight-delays/versions/2',
      '/endpoints',
      '/endpoints?deploy=true&model=flight-delays',
      '/endpoints/flight-delays',
      '/endpoints/flight-delays?tab=try',
      '/endpoints/flight-delays?tab=settings',
      '/batch',
      '/batch?new=true',
      `/batch/${found.job}`,
      '/monitoring',
      '/monitoring/flight-delays',
      `/monitoring/flight-delays?tab=drift&feature=distance&window=${found.driftWindow}`,
      '/monitoring/flight-delays?tab=alarms',
      '/monitoring/flight-delays?tab=quality',
      '/monitoring/flight-delays?tab=predictions',
      '/monitoring/flight-delays?tab=config',
    ];
    const visited = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce' });
    const faults: Record<string, string[]> = {};
    for (const path of pages) {
      const { page, complaints } = await openPage(visited);
      await page.goto(`${demo.url}/ui${path}`);
      await settled(page);
      await page.waitForTimeout(300);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const shown = await page.getByRole('alert').allInnerTexts();
      const all = [
        ...complaints,
        ...(await seriousFindings(page)),
        ...(wider > 0 ? [`${wider} px wider than the screen`] : []),
        ...shown.map((text) => `alert: ${text}`),
      ];
      if (all.length > 0) faults[path] = all;
      await page.close();
    }
    await visited.close();
    expect(faults).toEqual({});
  });
});

test('the filter narrows the runs, and a wrong one says what is wrong and keeps the table', async () => {
  await visit(
    `/ui/experiments/${found.experiment}`,
    async (page) => {
      await expect.poll(() => page.locator('[data-row]').count()).toBe(3);
      const box = page.getByRole('textbox', { name: 'Filter runs' });
      await box.fill('metrics.val_auc > 0.65');
      await box.press('Enter');
      await expect.poll(() => page.locator('[data-row]').count()).toBe(1);
      expect(page.url()).toContain('filter=');
      await page.reload();
      await expect.poll(() => page.locator('[data-row]').count()).toBe(1);
      await box.fill('metrics.val_auc >');
      await box.press('Enter');
      await page.locator('.mantine-InputWrapper-error').waitFor();
      expect(await page.locator('.mantine-InputWrapper-error').innerText()).not.toBe('');
      expect(await page.locator('[data-row]').count()).toBe(1);
    },
    [/status of 400/],
  );
});

test('ticked runs are compared, and only the differences are left when asked', async () => {
  await visit(`/ui/experiments/${found.experiment}`, async (page) => {
    await page.getByRole('checkbox', { name: 'Tick linear' }).check();
    await page.getByRole('checkbox', { name: 'Tick boosted' }).check();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: 'Compare 2 runs' }).waitFor();
    await page.getByRole('row', { name: /val_auc/ }).waitFor();
    const rows = page.locator('tbody tr[aria-rowindex]');
    const before = Number(await page.getByRole('table', { name: 'Runs side by side' }).getAttribute('aria-rowcount'));
    await page.getByRole('switch', { name: /Only differences/ }).click();
    await expect.poll(async () => Number(await page.getByRole('table', { name: 'Runs side by side' }).getAttribute('aria-rowcount'))).toBeLessThan(before);
    expect(await rows.filter({ hasText: '≠' }).count()).toBe(await rows.count());
  });
});

test('columns are picked by name and stay in the link', async () => {
  await visit(`/ui/experiments/${found.experiment}`, async (page) => {
    await page.getByRole('button', { name: /^Columns/ }).click();
    await page.getByRole('textbox', { name: 'Search columns' }).fill('learning_rate');
    await page.waitForTimeout(500);
    await page.getByRole('button', { name: 'None' }).click();
    await page.getByRole('checkbox', { name: 'learning_rate' }).check();
    await page.keyboard.press('Escape');
    await page.getByRole('columnheader', { name: 'learning_rate' }).waitFor();
    expect(new URL(page.url()).searchParams.get('cols')).toBe('["a:started","p:learning_rate"]');
  });
});

test("MLflow's own link opens the run", async () => {
  await visit(`/#/experiments/${found.experiment}/runs/${found.runs[0]}`, async (page) => {
    await page.getByRole('heading', { name: 'boosted', level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/ui/runs/${found.runs[0]}`);
  });
});

test('a chart zooms by keyboard, and the zoom is in the link', async () => {
  await visit(`/ui/runs/${found.runs[0]}?tab=charts`, async (page) => {
    const chart = page.getByRole('application', { name: /^val_auc/ });
    await chart.focus();
    await page.keyboard.press('+');
    await expect.poll(() => page.url()).toContain('from=');
    await page.keyboard.press('0');
    await expect.poll(() => page.url()).not.toContain('from=');
  });
});

test('dark mode is chosen and stays', async () => {
  await visit('/ui/', async (page) => {
    const scheme = () => page.evaluate(() => document.documentElement.dataset['mantineColorScheme']);
    await page.getByRole('button', { name: /Colour scheme/ }).click();
    await page.getByRole('menuitem', { name: 'Dark' }).click();
    await expect.poll(scheme).toBe('dark');
    await page.reload();
    expect(await scheme()).toBe('dark');
  });
});

test('Ctrl K finds the model and opens it; Ctrl / lists the shortcuts', async () => {
  await visit('/ui/batch', async (page) => {
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor({ state: 'hidden' });
    await page.keyboard.press('Control+k');
    const search = page.getByRole('dialog', { name: 'Search' });
    await search.getByRole('textbox').fill('flight-del');
    await search.locator('button', { hasText: 'flight-delays' }).first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).pathname).not.toBe('/ui/batch');
  });
});

test('the drift map marks the fault and opens the two distributions', async () => {
  await visit('/ui/monitoring/flight-delays?tab=drift', async (page) => {
    const marked = page.getByRole('button', { name: /^distance, .*: JS distance [\d.]+, drift/ });
    await marked.first().click();
    await page.getByRole('img', { name: /Distribution of distance/ }).waitFor();
    expect(page.url()).toContain('feature=distance');
    expect(await page.getByText('A drift-free window of this size').innerText()).toMatch(/drift/);
  });
});

test('a refused alias shows the gate that refuses and its figures', async () => {
  await visit(
    '/ui/models/flight-delays/versions/3',
    async (page) => {
      await page.getByRole('button', { name: 'Move an alias here' }).click();
      await page.getByRole('button', { name: 'Move', exact: true }).click();
      await page.getByRole('dialog').getByRole('alert').waitFor();
      await page
        .getByRole('dialog')
        .getByRole('row', { name: /Metric fail/ })
        .waitFor();
      await page.getByText(/Force it past the gates/).waitFor();
    },
    [/status of 4\d\d/],
  );
});

test('the try-it panel sends its sample over both protocols, and shows what a bad request is told', async () => {
  await visit(
    '/ui/endpoints/flight-delays?tab=try',
    async (page) => {
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByLabel('response').filter({ hasText: 'predictions' }).waitFor();
      await page.getByText('Open Inference', { exact: true }).click();
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByLabel('response').filter({ hasText: 'outputs' }).waitFor();
      await page.getByRole('textbox', { name: 'Body of the request' }).fill('{"inputs": []}');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('alert').waitFor();
    },
    [/status of 400/],
  );
});

test('the files of a run are walked by arrows, opened by Enter, and Ctrl K works while something is typed', async () => {
  await visit(`/ui/runs/${found.runs[0]}?tab=artifacts`, async (page) => {
    const tree = page.getByRole('tree', { name: 'Artifacts' });
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    const folder = tree.getByRole('treeitem', { expanded: false }).first();
    const name = await folder.innerText();
    await folder.focus();
    await page.keyboard.press('ArrowRight');
    await tree.locator('[aria-level="2"]').first().waitFor();
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe(await tree.locator('[aria-level="2"]').first().textContent());
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).searchParams.get('path')).toContain(`${name}/`);
    await page.keyboard.press('ArrowLeft');
    expect(await focused()).toBe(name);
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => tree.locator('[aria-level="2"]').count()).toBe(0);

    await page.goto(`${demo.url}/ui/models`);
    await page.getByRole('textbox', { name: 'Search models' }).focus();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Search' }).waitFor();
  });
});

test('a deployment onto an endpoint that exists says so and asks first', async () => {
  await visit('/ui/endpoints?deploy=true&model=flight-delays', async (page) => {
    await page.getByText('The endpoint flight-delays exists').waitFor();
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.message());
      void dialog.dismiss();
    });
    const sent: string[] = [];
    page.on('request', (request) => void (request.method() === 'PUT' && sent.push(request.url())));
    await page.getByRole('button', { name: 'Replace the traffic' }).click();
    await expect.poll(() => asked.length).toBe(1);
    expect([asked[0], sent]).toEqual(['flight-delays serves flight-delays now. Replace its traffic?', []]);
    await page.getByRole('textbox', { name: 'Endpoint name' }).fill('another');
    await page.getByRole('button', { name: 'Deploy', exact: true }).last().waitFor();
  });
});

test('the whole history of a monitor is asked for by its range, and there is a way back', async () => {
  await visit('/ui/monitoring/flight-delays?tab=drift&all=true', async (page) => {
    const request = page.waitForRequest((r) => r.url().includes('/drift?') && r.url().includes('from='));
    await page.reload();
    expect(new URL((await request).url()).searchParams.get('to')).toMatch(/^\d+$/);
    await page.getByRole('button', { name: 'Only where the traffic is' }).waitFor();
  });
});
