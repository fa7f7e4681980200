import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasVenv, VENV } from '../packages/server/test/support/docker-engine.ts';
import { savedModels, serveModel } from '../packages/server/test/support/python-models.ts';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

describe.skipIf(!hasVenv || process.platform !== 'linux')('the log of a supervised server in Chromium', () => {
  let server: Running;
  let browser: Browser;
  let models: string;
  beforeAll(async () => {
    [server, browser, models] = await Promise.all([
      startEmpty('--python', 'environment', '--python-interpreter', join(VENV, 'bin/python')),
      openBrowser(),
      savedModels(),
    ]);
    await serveModel(server.url, models, 'linear');
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(models, { recursive: true, force: true });
  });

  test('is shown and followed', async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
    context.setDefaultTimeout(30_000);
    try {
      const { page, complaints } = await openPage(context);
      await page.goto(`${server.url}/ui/endpoints/linear`);
      await settled(page);
      await page.getByText('a process of its own').waitFor();
      await page.getByRole('tab', { name: 'Log' }).click();
      const log = page.getByLabel('Lines of the log');
      await log.getByText(/Uvicorn running/).waitFor();
      const before = await log.locator('div').count();
      for (let i = 0; i < 3; i++)
        await fetch(`${server.url}/endpoints/linear/invocations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"dataframe_split":{"columns":["a","b"],"data":[[1,2]]}}',
        });
      await expect.poll(() => log.locator('div').count(), { timeout: 20_000 }).toBeGreaterThan(before);
      const shots = process.env['BINNACLE_E2E_SHOTS'];
      if (shots !== undefined) await page.screenshot({ path: join(shots, 'endpoint-log.png') });
      expect(await seriousFindings(page)).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  });
});
