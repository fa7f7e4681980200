import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

/** Saved views, links, deep scrolling, the scatter plot and brushes in Chromium: 1,300 runs. */
let server: Running;
let browser: Browser;
let experiment = '';
const runIds: string[] = [];
const RUNS = 1300;

async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${server.url}/api/binnacle/v1${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
interface Options {
  colorScheme?: 'dark' | 'light';
  width?: number;
  /** What the browser may complain of. */
  allowed?: RegExp;
}
async function visit(path: string, work: (page: Page) => Promise<void>, options: Options = {}): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: 1000 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(40_000);
  try {
    const { page, complaints } = await openPage(context);
    await page.goto(`${server.url}/ui${path}`);
    await settled(page);
    await work(page);
    expect(complaints.filter((one) => options.allowed?.test(one) !== true)).toEqual([]);
  } finally {
    await context.close();
  }
}
/** On a busy machine a page takes its time. */
const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 30_000 });
const grid = (page: Page) => page.getByRole('grid', { name: 'Runs' });
const menu = async (page: Page, item: string | RegExp) => {
  await page
    .getByRole('button', { name: /^(Views|best|better|mine)/ })
    .first()
    .click();
  await page.getByRole('menuitem', { name: item }).click();
};
const viewsOf = async () =>
  (await api<{ views: { name: string; state: Record<string, unknown>; isDefault: boolean }[] }>('GET', `/experiments/${experiment}/views`)).views;
const linkTo = (search: Record<string, unknown>) =>
  `/experiments/${experiment}?${Object.entries(search)
    .map(([key, value]) => `${key}=${encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join('&')}`;

beforeAll(async () => {
  server = await startEmpty();
  browser = await openBrowser();
  for (let from = 0; from < RUNS; from += 50)
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const n = from + i;
        const { id, experimentId } = await api<{ id: string; experimentId: string }>('POST', '/runs', {
          experiment: 'views',
          name: `run-${String(n).padStart(4, '0')}`,
          startedAt: 1_700_000_000_000 + n * 1000,
          params: { lr: String(10 ** -(n % 5)), model: n % 2 === 0 ? 'boosted' : 'linear' },
        });
        experiment = experimentId;
        runIds[n] = id;
        await api('POST', `/runs/${id}/log`, { metrics: [{ key: 'score', value: n / RUNS }] });
      }),
    );
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test('a view is saved, marked when the page differs from it, updated, made the default, renamed and deleted', async () => {
  await visit(linkTo({ filter: 'metrics.score > 0.5', sort: 'metrics.`score` ASC' }), async (page) => {
    await eventually(() => grid(page).getAttribute('aria-rowcount')).toBe('650');
    await menu(page, 'Save as …');
    await page.getByRole('textbox', { name: 'Name' }).fill('best');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'best', exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('view')).toBe('best');
    expect((await viewsOf())[0]?.state).toEqual({ filter: 'metrics.score > 0.5', sort: 'metrics.`score` ASC' });

    await page.getByRole('textbox', { name: 'Filter runs' }).fill('metrics.score > 0.9');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /best\s*changed/ }).waitFor();
    await menu(page, 'Update this view');
    await page.getByRole('button', { name: 'best', exact: true }).waitFor();
    expect((await viewsOf())[0]?.state).toEqual({ filter: 'metrics.score > 0.9', sort: 'metrics.`score` ASC' });

    await menu(page, 'Set as default for this experiment');
    await eventually(async () => (await viewsOf())[0]?.isDefault).toBe(true);
    await menu(page, 'Rename …');
    await page.getByRole('textbox', { name: 'Name' }).fill('better');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'better', exact: true }).waitFor();
  });
  // Neither says anything but the experiment, or the view.
  for (const path of [`/experiments/${experiment}`, `/experiments/${experiment}?view=better`])
    await visit(path, async (page) => {
      await eventually(() => grid(page).getAttribute('aria-rowcount')).toBe('130');
      expect(new URL(page.url()).searchParams.get('filter')).toBe('metrics.score > 0.9');
      await menu(page, 'Show all runs, without a view');
      await eventually(() => grid(page).getAttribute('aria-rowcount')).toBe(String(RUNS + 1));
      await page.reload();
      await eventually(() => grid(page).getAttribute('aria-rowcount')).toBe(String(RUNS + 1));
      await page.getByRole('button', { name: 'Views', exact: true }).click();
      await page.getByRole('menuitem', { name: /better/ }).click();
      await eventually(() => grid(page).getAttribute('aria-rowcount')).toBe('130');
    });
  await visit(`/experiments/${experiment}?view=better`, async (page) => {
    await page.getByRole('button', { name: 'better', exact: true }).waitFor();
    await menu(page, 'Delete this view');
    await page.getByRole('button', { name: 'Views', exact: true }).waitFor();
    await eventually(async () => (await viewsOf()).length).toBe(0);
    // What it showed stays.
    expect(await grid(page).getAttribute('aria-rowcount')).toBe('130');
  });
  await visit(`/experiments/${experiment}?view=better`, async (page) => {
    await page.getByText('There is no view “better”').waitFor();
    await eventually(() => grid(page).getAttribute('aria-rowcount')).toBe(String(RUNS + 1));
  });
});

test('what somebody else changed meanwhile is not overwritten', async () => {
  await api('PUT', `/experiments/${experiment}/views/mine`, { state: { filter: 'metrics.score > 0.1' } });
  await visit(
    `/experiments/${experiment}?view=mine`,
    async (page) => {
      await page.getByRole('button', { name: 'mine', exact: true }).waitFor();
      await api('PUT', `/experiments/${experiment}/views/mine`, { state: { filter: 'metrics.score > 0.2' } });
      await page.getByRole('textbox', { name: 'Filter runs' }).fill('metrics.score > 0.3');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: /mine\s*changed/ }).waitFor();
      const refused = page.waitForResponse((reply) => reply.request().method() === 'PUT');
      await menu(page, 'Update this view');
      expect((await refused).status()).toBe(409);
      await page.getByText('Somebody else has changed the view').waitFor();
      expect((await viewsOf())[0]?.state).toEqual({ filter: 'metrics.score > 0.2' });
    },
    { allowed: /409/ },
  );
  await api('DELETE', `/experiments/${experiment}/views/mine`);
});

test('a copied link holds filter, order, columns, widths, groups, the plot and the ticks, without any view', async () => {
  const state = {
    filter: 'metrics.score > 0.2',
    sort: 'metrics.`score` DESC',
    cols: ['m:score', 'p:lr'],
    widths: { 'm:score': 210 },
    group: ['p:model'],
    open: ['["linear"]'],
    plot: true,
    x: 'p:lr',
    y: 'm:score',
    logx: true,
    sel: [runIds[1200], runIds[1201]],
  };
  let link = '';
  await visit(`${linkTo(state)}&view=gone`, async (page) => {
    await menu(page, 'Copy link');
    link = await page.evaluate(() => navigator.clipboard.readText());
  });
  expect(link).not.toContain('view=');
  await visit(link.slice(link.indexOf('/ui') + 3), async (page) => {
    const tree = page.getByRole('treegrid', { name: 'Runs' });
    // Two groups, and the runs of the open one: every second of those from 261 to 1299.
    await eventually(() => tree.getAttribute('aria-rowcount')).toBe(String(1 + 2 + 520));
    expect((await page.getByRole('columnheader', { name: 'score' }).boundingBox())?.width).toBe(210);
    expect(await page.getByRole('columnheader').count()).toBe(3);
    await page.getByText('2 runs ticked').waitFor();
    await page.getByRole('application', { name: /Scatter plot of score against lr: 1039 of 1039 runs/ }).waitFor();
    expect(await page.getByRole('switch', { name: 'Log x' }).isChecked()).toBe(true);
    await tree.getByText('run-1299').waitFor();
  });
});

test('a width that is drawn stays in the link', async () => {
  await visit(`/experiments/${experiment}`, async (page) => {
    const header = page.getByRole('columnheader', { name: 'score' });
    const box = await header.boundingBox();
    if (box === null) throw new Error('no header');
    await page.mouse.move(box.x + box.width - 3, box.y + 18);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width + 57, box.y + 18, { steps: 4 });
    await page.mouse.up();
    await eventually(() => new URL(page.url()).searchParams.get('widths')).toBe('{"m:score":172}');
    await page.reload();
    await eventually(async () => (await page.getByRole('columnheader', { name: 'score' }).boundingBox())?.width).toBe(172);
  });
});

test('the list is as long as what it holds, jumps to its end, and reads only what is looked at', async () => {
  await visit(`/experiments/${experiment}`, async (page) => {
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/runs/search')) asked.push(request.postData() ?? '');
    });
    await eventually(() => grid(page).getAttribute('aria-rowcount')).toBe(String(RUNS + 1));
    await grid(page).locator('[data-row="0"]').focus();
    await page.keyboard.press('End');
    await grid(page).getByText('run-0000').waitFor();
    expect(await grid(page).getByRole('row').count()).toBeLessThan(80);
    await page.keyboard.press('ArrowUp');
    await eventually(() => page.evaluate(() => document.activeElement?.textContent)).toContain('run-0001');
    expect(new Set(asked).size).toBeLessThan(6);
    await page.keyboard.press('Home');
    await grid(page).getByText('run-1299').waitFor();
  });
});

test('points in a box are ticked, a point opens its run, and keys do the same', async () => {
  await visit(linkTo({ plot: true, x: 'm:score', y: 'a:started', filter: 'metrics.score > 0.9' }), async (page) => {
    const plot = page.getByRole('application', { name: /Scatter plot of started against score: 129 of 129 runs/ });
    const box = await plot.boundingBox();
    if (box === null) throw new Error('no plot');
    // The line runs from the lower left to the upper right: a box over its lower end.
    await page.mouse.move(box.x + 60, box.y + box.height - 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.6, { steps: 5 });
    await page.mouse.up();
    await page.getByText(/^\d+ runs ticked/).waitFor();
    const ticked = new URL(page.url()).searchParams.get('sel') ?? '[]';
    expect((JSON.parse(ticked) as string[]).length).toBeGreaterThan(10);
    expect(ticked).toContain(runIds[1171]);
    expect(ticked).not.toContain(runIds[1299]);
    await plot.focus();
    await page.keyboard.press('End');
    await page.keyboard.press(' ');
    await eventually(() => new URL(page.url()).searchParams.get('sel')).toContain(runIds[1299]);
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/runs/${runIds[1171]}`);
  });
});

test('runs through a part of an axis are kept, by pointer and by keys, and a comparison is a view', async () => {
  const some = [0, 100, 200, 300, 401, 501].map((n) => runIds[n]);
  await visit(`/compare?runs=${encodeURIComponent(JSON.stringify(some))}`, async (page) => {
    const limit = page.getByRole('slider', { name: 'Limit model' });
    await limit.focus();
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowDown');
    await page.getByText('4 of 6 runs go through.').waitFor();
    expect(await page.locator('path[data-within="false"]').count()).toBe(2);
    await page.keyboard.press('Delete');
    await page.getByText('Draw along an axis').waitFor();
    const score = page.getByRole('slider', { name: 'Limit score' });
    await score.scrollIntoViewIfNeeded();
    const box = await score.boundingBox();
    if (box === null) throw new Error('no axis');
    await page.mouse.move(box.x + 9, box.y + 2);
    await page.mouse.down();
    await page.mouse.move(box.x + 9, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    await page.getByText('3 of 6 runs go through.').waitFor();
    await menu(page, 'Save as …');
    await page.getByRole('textbox', { name: 'Name' }).fill('mine');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'mine', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Compare only these' }).click();
    await page.getByRole('heading', { name: 'Compare 3 runs' }).waitFor();
  });
  await visit(`/experiments/${experiment}`, async (page) => {
    await page.getByRole('button', { name: 'Views', exact: true }).click();
    await page.getByRole('menuitem', { name: 'mine' }).click();
    await page.getByRole('heading', { name: 'Compare 6 runs' }).waitFor();
    await page.getByText('3 of 6 runs go through.').waitFor();
  });
});

describe.each([
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 1440 },
  { colorScheme: 'light', width: 390 },
] as const)('$colorScheme, $width wide', (options) => {
  const shots = process.env['BINNACLE_E2E_SHOTS'];
  const look = async (page: Page, name: string) => {
    await page.waitForTimeout(500);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}-${options.colorScheme}-${options.width}.png`, fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  };
  test('plot, views and comparison have no serious finding of axe, and fit', async () => {
    await visit(
      linkTo({ plot: true, color: 'p:model', x: 'p:lr', logx: true, group: ['p:model'] }),
      async (page) => {
        await page.getByRole('application').waitFor();
        await look(page, 'plot');
        await page.getByRole('switch', { name: 'As a table' }).check({ force: true });
        await look(page, 'plot-table');
        await page.getByRole('button', { name: 'Views', exact: true }).click();
        await page.getByRole('menuitem', { name: 'Copy link' }).waitFor();
        await look(page, 'views-menu');
      },
      options,
    );
    await visit(
      `/compare?runs=${encodeURIComponent(JSON.stringify(runIds.slice(0, 200)))}&brush=${encodeURIComponent('{"metric:score":[0.2,0.6]}')}`,
      async (page) => {
        await page.getByRole('slider', { name: 'Limit score' }).waitFor();
        await look(page, 'compare');
      },
      options,
    );
  });
});
