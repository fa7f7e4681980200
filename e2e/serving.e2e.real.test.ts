import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graph, identity, sum, value, zipMapClassifier } from '../packages/server/test/support/onnx-graphs.ts';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

/** The page of an endpoint in Chromium: what it shows live, load and unload, canaries and the way back, and the forms of try-it. */
let server: Running;
let browser: Browser;
const shots = process.env['BINNACLE_E2E_SHOTS'];

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${server.url}/api/binnacle/v1${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
async function push(model: string, bytes: Uint8Array): Promise<void> {
  const response = await fetch(`${server.url}/api/binnacle/v1/models/${model}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  if (!response.ok) throw new Error(await response.text());
}
const ask = (endpoint: string, data: number[]) =>
  fetch(`${server.url}/v2/models/${endpoint}/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, data.length], data }] }),
  });

async function visit(path: string, work: (page: Page) => Promise<void>, options: { colorScheme?: 'dark' | 'light'; width?: number } = {}): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: 1000 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(30_000);
  try {
    const { page, complaints } = await openPage(context);
    await page.goto(`${server.url}/ui/endpoints/${path}`);
    await settled(page);
    await work(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}
const shoot = async (page: Page, name: string) => {
  if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
};

/** Mean brightness of each channel of a 4 × 4 image. */
const brightness = () =>
  graph({
    nodes: [
      { opType: 'GlobalAveragePool', input: ['pixels'], output: ['pooled'] },
      { opType: 'Reshape', input: ['pooled', 'shape'], output: ['scores'] },
    ],
    inputs: [value('pixels', 'FP32', ['N', 3, 4, 4])],
    outputs: [value('scores', 'FP32', ['N', 3])],
    weights: [{ name: 'shape', dims: [2], dataType: 7, int64Data: [-1, 3] }],
  });

beforeAll(async () => {
  server = await startEmpty();
  browser = await openBrowser();
  await push('scores', sum(3, 1));
  await push('scores', sum(3, 2));
  await push('pictures', brightness());
  await push('words', identity('BYTES', ['N', 1]));
  await call('PUT', '/endpoints/scores', { model: 'scores', traffic: [{ version: 1, weight: 100 }] });
  await call('PUT', '/endpoints/scores', {
    model: 'scores',
    traffic: [
      { version: 1, weight: 50 },
      { version: 2, weight: 50 },
    ],
    config: { cache: { maxMiB: 4 }, canaryGuard: { errorRate: 0.1, minRequests: 10_000 } },
  });
  for (const name of ['pictures', 'words']) await call('PUT', `/endpoints/${name}`, { model: name, traffic: [{ version: 1, weight: 100 }] });
  for (let i = 0; i < 60; i++) await ask('scores', [i % 5, 1, 1]);
  await ask('scores', [1, 1]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('an endpoint', () => {
  test('shows what serves, how it is judged, and what was refused', async () => {
    await visit('scores', async (page) => {
      const versions = page.locator('section', { has: page.getByRole('heading', { name: 'Served versions' }) });
      await versions.getByText('Version 2').waitFor();
      await versions.getByText('event loop').first().waitFor();
      await page.getByText(/of 10000 requests that a judgement needs/).waitFor({ timeout: 20_000 });
      await page.getByRole('heading', { name: 'Rows run together' }).waitFor();
      await page.getByText('wrong_shape').waitFor();
      await page.getByText('Cache', { exact: true }).waitFor();
      await shoot(page, 'endpoint-overview');
      expect(await seriousFindings(page)).toEqual([]);
    });
    await visit('scores', (page) => shoot(page, 'endpoint-overview-dark'), { colorScheme: 'dark' });
    await visit('scores', (page) => shoot(page, 'endpoint-overview-narrow'), { width: 390 });
  });

  test('is unloaded, says so, and is loaded again', async () => {
    await visit('words', async (page) => {
      page.on('dialog', (dialog) => void dialog.accept());
      await page.getByRole('button', { name: 'Warm' }).click();
      await page.getByText(/Version 1: [\d.]+ ms/).waitFor();
      await page.getByRole('button', { name: 'Unload' }).click();
      await page.getByText('The endpoint is unloaded and answers no requests').waitFor();
      await shoot(page, 'endpoint-unloaded');
      expect((await fetch(`${server.url}/v2/models/words/ready`)).status).toBe(400);
      await page.getByRole('button', { name: 'Load', exact: true }).click();
      await page.getByRole('button', { name: 'Unload' }).waitFor();
      expect((await fetch(`${server.url}/v2/models/words/ready`)).status).toBe(200);
    });
  });

  test('goes back to what it served before, and its configuration is changed by fields and by text', async () => {
    await visit('scores?tab=settings', async (page) => {
      const history = page.locator('section', { has: page.getByRole('heading', { name: 'History' }) });
      await history.getByText('version 1 100%').waitFor();
      await shoot(page, 'endpoint-settings');
      expect(await seriousFindings(page)).toEqual([]);
      const configuration = page.locator('section', { has: page.getByRole('heading', { name: 'Configuration' }) });
      const apply = configuration.getByRole('button', { name: 'Apply' });
      expect(await apply.isDisabled()).toBe(true);
      await page.getByLabel('its p99 is more than').fill('3');
      await expect.poll(() => apply.isDisabled()).toBe(false);
      const text = page.getByRole('textbox', { name: 'Everything' });
      await expect.poll(() => text.inputValue()).toContain('"latencyP99": 3');
      await text.fill('{"maxQueue": 0}');
      await page.getByText(/maxQueue: /).waitFor();
      expect(await apply.isDisabled()).toBe(true);
      await text.fill('{"maxQueue": 77}');
      await apply.click();
      await page.getByText('Configuration changed').waitFor();
      expect((await call<{ config: unknown }>('GET', '/endpoints/scores')).config).toEqual({ maxQueue: 77 });
      await history.getByRole('button', { name: 'Serve this again' }).first().click();
      await page.getByText('Serving it again').waitFor();
      expect((await call<{ traffic: { version: number; weight: number }[] }>('GET', '/endpoints/scores')).traffic).toMatchObject([{ version: 1, weight: 100 }]);
    });
    await visit('scores?tab=settings', (page) => shoot(page, 'endpoint-settings-narrow'), { width: 390 });
  });
});

describe('try-it', () => {
  test('a table is typed and sent', async () => {
    await visit('scores?tab=try', async (page) => {
      await page.getByText('Table', { exact: true }).click();
      await page.getByLabel('0, row 1').fill('x');
      await page.getByText('takes a number').waitFor();
      for (const [column, typed] of ['10', '20', '12'].entries()) await page.getByLabel(`${column}, row 1`).fill(typed);
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('42').first().waitFor();
      await shoot(page, 'try-table');
      expect(await seriousFindings(page)).toEqual([]);
    });
  });

  test('an image is fitted to the model and sent', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'binnacle-e2e-image-'));
    const file = join(dir, 'green.bmp');
    await writeFile(file, bitmap(8, 8, [0, 255, 0]));
    await visit('pictures?tab=try', async (page) => {
      await page.getByText('Image', { exact: true }).click();
      const chooser = page.waitForEvent('filechooser');
      await page.getByRole('button', { name: 'Choose an image' }).click();
      await (await chooser).setFiles(file);
      await page.getByAltText('green.bmp, as the model gets it').waitFor();
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('class 1').waitFor();
      expect(await page.getByRole('row').first().innerText()).toContain('class 1');
      await shoot(page, 'try-image');
      expect(await seriousFindings(page)).toEqual([]);
    });
    await visit('pictures?tab=try', (page) => shoot(page, 'try-image-dark'), { colorScheme: 'dark' });
  });

  test('classes are called what the model’s ZipMap called them', async () => {
    await push('iris', zipMapClassifier({ strings: ['setosa', 'virginica'] }));
    await call('PUT', '/endpoints/iris', { model: 'iris', traffic: [{ version: 1 }] });
    await visit('iris?tab=try', async (page) => {
      await page.getByText('Table', { exact: true }).click();
      for (const [column, typed] of ['0', '5'].entries()) await page.getByLabel(`${column}, row 1`).fill(typed);
      await page.getByRole('button', { name: 'Send' }).click();
      const best = page.getByRole('row').filter({ hasText: 'virginica' });
      await best.waitFor();
      expect(
        await page
          .getByRole('row')
          .filter({ hasText: /setosa|virginica/ })
          .allInnerTexts(),
      ).toEqual([expect.stringContaining('virginica'), expect.stringContaining('setosa')]);
      expect(await seriousFindings(page)).toEqual([]);
    });
  });

  test('text goes a line an instance', async () => {
    await visit('words?tab=try', async (page) => {
      await page.getByText('Text', { exact: true }).click();
      await page.getByLabel('Text for x').fill('ä 😀\nsecond');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('"ä 😀"').first().waitFor();
      await shoot(page, 'try-text');
    });
  });
});

/** An uncompressed bitmap of one colour (https://learn.microsoft.com/windows/win32/gdi/bitmap-storage). */
function bitmap(width: number, height: number, [r, g, b]: [number, number, number]): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4;
  const out = Buffer.alloc(54 + row * height);
  out.write('BM');
  out.writeUInt32LE(out.length, 2);
  out.writeUInt32LE(54, 10);
  out.writeUInt32LE(40, 14);
  out.writeInt32LE(width, 18);
  out.writeInt32LE(height, 22);
  out.writeUInt16LE(1, 26);
  out.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out.set([b, g, r], 54 + y * row + x * 3);
  return out;
}
