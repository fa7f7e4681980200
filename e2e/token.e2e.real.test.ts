import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, settled } from './ui-browser.ts';

/** A browser before a server that asks for a token. */
const TOKEN = 'a token + 50% "quoted"';
let server: Running;
let browser: Browser;
beforeAll(async () => {
  server = await startEmpty('--token', TOKEN);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test('the form refuses a wrong token, takes the right one, and the browser stays signed in where it was', async () => {
  const context = await browser.newContext();
  const { page } = await openPage(context);
  await page.goto(`${server.url}/ui/experiments?q=fla`);
  const field = page.getByLabel('Access token');
  await field.fill('guess');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('The server does not accept this token.').waitFor();
  await field.fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Experiments', level: 1 }).waitFor();
  await page.reload();
  await settled(page);
  await page.getByRole('heading', { name: 'Experiments', level: 1 }).waitFor();
  expect(page.url()).toBe(`${server.url}/ui/experiments?q=fla`);
  // No script can read what keeps it signed in.
  expect(await page.evaluate(() => document.cookie + JSON.stringify(localStorage))).not.toContain('token +');
  await context.close();
});

test('a link with the token opens the page it names, with its view, and without the token', async () => {
  const context = await browser.newContext();
  const { page, complaints } = await openPage(context);
  await page.goto(`${server.url}/ui/models?q=iris&token=${encodeURIComponent(TOKEN)}`);
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
  await settled(page);
  expect(page.url()).toBe(`${server.url}/ui/models?q=iris`);
  expect(complaints).toEqual([]);
  await context.close();
});

test('the snippets of such a server carry the token by its variable', async () => {
  const context = await browser.newContext();
  const { page } = await openPage(context);
  await page.goto(`${server.url}/ui/?token=${encodeURIComponent(TOKEN)}`);
  await page.getByRole('tab', { name: 'curl' }).click();
  await page.getByText('Authorization: Bearer $BINNACLE_TOKEN').first().waitFor();
  await context.close();
});
