import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Demo {
  url: string;
  stop(): Promise<void>;
}

/** The Binnacle to look at: BINNACLE_E2E_URL, or else a demo of its own in a temporary folder. */
export async function openDemo(): Promise<Demo> {
  const given = process.env['BINNACLE_E2E_URL'];
  if (given !== undefined && given !== '') return { url: given.replace(/\/(ui\/?)?$/, ''), stop: async () => {} };
  const data = await mkdtemp(join(tmpdir(), 'binnacle-ui-'));
  const child = spawn(process.execPath, [join(root, 'packages/server/src/main.ts'), 'demo', '--data', data], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const url = await addressOf(child);
    return {
      url,
      async stop() {
        await end(child);
        await rm(data, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await end(child);
    await rm(data, { recursive: true, force: true });
    throw error;
  }
}

/** Waits for the summary; its last lines name the interface and say that the server stays up. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const url = /(http:\/\/[^\s/]+)\/ui\//.exec(text)?.[1];
      if (url !== undefined && text.includes('it stays up')) resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`The demo ended with ${code} before it was up:\n${text.slice(-4000)}`)));
    setTimeout(() => reject(new Error(`The demo was not up after four minutes:\n${text.slice(-4000)}`)), 240_000).unref();
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(force);
}

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

/** A page that remembers what it complained about. */
export async function openPage(context: BrowserContext): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  return { page, complaints };
}

/** Waits until the page has shown its data: no skeleton is left. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null, undefined, { timeout: 20_000 });
}

let axe: string | undefined;
/** Serious and critical findings of axe, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  axe ??= await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // The content policy forbids eval in the page; the debugger may still put a script there.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const { result } = await session.send('Runtime.evaluate', {
    awaitPromise: true,
    returnByValue: true,
    expression: `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }).then((r) => r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.impact + ' ' + v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')))`,
  });
  await session.detach();
  return result.value as string[];
}
