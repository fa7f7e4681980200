import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tables } from '../packages/server/src/compose/tables.ts';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

/** What people log, shown in place: in Chromium, against a server that asks for a token, so that a page that steals one has something to steal. */
const TOKEN = 'artifact-token';
let server: Running;
let browser: Browser;
let run = { id: '', artifactUri: '' };

const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
async function api<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(
    `${server.url}/api/binnacle/v1${path}`,
    body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
  );
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
async function put(path: string, body: string | Uint8Array): Promise<void> {
  const at = `${run.artifactUri.replace(/^mlflow-artifacts:\//, '')}/${path}`
    .split('/')
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/');
  const response = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${at}`, { method: 'PUT', headers, body: body as BodyInit });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}
const content = (path: string, more = ''): string => `${server.url}/api/binnacle/v1/runs/${run.id}/artifacts/content?path=${encodeURIComponent(path)}${more}`;

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
    await page.goto(`${server.url}/ui/?token=${TOKEN}`);
    await page.evaluate(() => localStorage.setItem('secret', 'of the interface'));
    await page.goto(`${server.url}/ui/runs/${run.id}?tab=artifacts&path=${encodeURIComponent(path)}`);
    await settled(page);
    await work(page);
    expect(complaints.filter((text) => options.allowed === undefined || !options.allowed.test(text))).toEqual([]);
  } finally {
    await context.close();
  }
}

/** Tries all that a page of somebody else's would try, and writes what became of it. */
const THIEF = `<!doctype html><title>plot</title><body><canvas id=c width=20 height=20></canvas><pre id=out>not run</pre><script>
const api = RUN_URL;
const tries = {
  storage: () => localStorage.getItem('secret'),
  session: () => sessionStorage.length,
  cookie: () => document.cookie,
  parent: () => parent.document.body.innerHTML.length,
  parentStorage: () => parent.localStorage.getItem('secret'),
  top: () => { top.location.href = 'about:blank'; return 'moved'; },
  opened: () => { const w = open('/ui/'); if (w === null) throw new Error('blocked'); return 'opened'; },
  read: async () => (await fetch(api, { credentials: 'include' })).status,
  readWhole: async () => (await fetch(RUN_ORIGIN + api, { credentials: 'include' })).status,
  write: async () => (await fetch(RUN_ORIGIN + api, { method: 'PATCH', credentials: 'include', headers: { 'content-type': 'application/json' }, body: '{"name":"stolen"}' })).status,
  blind: async () => { await fetch(RUN_ORIGIN + api, { mode: 'no-cors', credentials: 'include' }); return 'sent'; },
  image: () => new Promise((ok, no) => { const i = new Image(); i.onload = () => ok('loaded'); i.onerror = () => no(new Error('no')); i.src = RUN_ORIGIN + PICTURE; }),
  beacon: () => { if (!navigator.sendBeacon(RUN_ORIGIN + api, 'x')) throw new Error('refused'); return 'queued'; },
  script: () => new Promise((ok, no) => { const s = document.createElement('script'); s.onload = () => ok('loaded'); s.onerror = () => no(new Error('no')); s.src = RUN_ORIGIN + api; document.head.append(s); }),
  form: () => { const f = document.createElement('form'); f.action = '/ui/'; f.target = '_top'; document.body.append(f); f.submit(); throw new Error('no submit seen'); },
  worker: () => { new SharedWorker('data:text/javascript,1'); return 'made'; },
};
(async () => {
  document.getElementById('c').getContext('2d').fillRect(0, 0, 9, 9);
  const out = { origin: self.origin, inline: 'ran' };
  for (const [name, attempt] of Object.entries(tries)) { try { out[name] = 'GOT ' + await attempt(); } catch (e) { out[name] = 'failed: ' + e.name; } }
  document.getElementById('out').textContent = JSON.stringify(out);
})();
</script>`;
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200"><rect width="320" height="200" fill="#0072b2"/><script>document.documentElement.setAttribute("data-ran","yes")</script></svg>';
const NAMES = [
  '<script>alert(1)<!--.txt',
  '<img src=x onerror=alert(1)>.txt',
  'données 数据 🚢.txt',
  'x\u202Etxt.exe.txt',
  'e\u0301 %41 #?&+.txt',
  '\u200B.txt',
];

beforeAll(async () => {
  server = await startEmpty('--token', TOKEN);
  browser = await openBrowser();
  run = await api('/runs', { name: 'shows what it logged' });
  const address = `/api/binnacle/v1/runs/${run.id}`;
  await put(
    'attack.html',
    THIEF.replaceAll('RUN_URL', JSON.stringify(address))
      .replaceAll('RUN_ORIGIN', JSON.stringify(server.url))
      .replaceAll('PICTURE', JSON.stringify(`${address}/artifacts/content?path=plot.svg`)),
  );
  await put('figure.html', '<script src="https://cdn.plot.ly/plotly-3.0.0.min.js"></script><p id=here>a figure</p>');
  await put('plot.svg', SVG);
  await put('broken.png', 'no picture');
  await put('long.txt', Array.from({ length: 30_000 }, (_, i) => `line ${i + 1} é🚢`).join('\n'));
  await put('metrics.json', '{"loss":0.25,"id":9007199254740993,"nested":{"a":[1,2]}}');
  await put('records.json', JSON.stringify(Array.from({ length: 250 }, (_, i) => ({ step: i, text: `<b>row ${i}</b>` }))));
  await put('table.json', '{"columns":["question","answer"],"data":[["why?","because"],["how?",null]]}');
  await put('figure.json', '{"data":[{"type":"bar","x":[1],"y":[2]}],"layout":{"title":"t"}}');
  await put('events.jsonl', '{"a":1,"b":"x"}\n{"a":2}\n');
  await put('data.csv', 'id,text\n007,"a, ""quoted""\nvalue"\n08,<script>alert(1)</script>\n');
  await put('ragged.csv', 'a,b\n1,2\n"unclosed');
  await put(
    'page.md',
    '# Title\n\nSome *text*, a [file](data.csv), a [bad one](javascript:alert(1)), [outside](https://example.org/).\n\n![plot](plot.svg) ![far](https://example.org/x.png)\n\n<script>alert(1)</script>\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done\n',
  );
  await put('source/uncommitted.diff', 'diff --git a/t.py b/t.py\n--- a/t.py\n+++ b/t.py\n@@ -1,2 +1,2 @@\n same\n-rate = 0.1\n+rate = 0.2\n');
  await put(
    'model/MLmodel',
    'flavors:\n  onnx:\n    data: model.onnx\n  python_function:\n    loader_module: mlflow.onnx\nmlflow_version: 3.1.0\nsignature:\n  inputs: \'[{"type": "double", "name": "x", "required": true}]\'\n  outputs: \'[{"type": "long"}]\'\n',
  );
  await put('model/model.onnx', new Uint8Array([8, 0, 1]));
  await put('unknown', 'reads like text');
  const npy = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n";
  await put('array.npy', new Uint8Array([0x93, ...Buffer.from('NUMPY'), 1, 0, npy.length, 0, ...Buffer.from(npy), ...Array.from({ length: 48 }, () => 0)]));
  for (const name of NAMES) await put(`names/${name}`, `the content of ${name}`);
  const folder = await mkdtemp(join(tmpdir(), 'binnacle-e2e-table-'));
  await tables.write(join(folder, 't.parquet'), 'parquet', [
    {
      rows: 250,
      columns: [
        { name: 'big', values: BigInt64Array.from({ length: 250 }, (_, i) => 9007199254740993n + BigInt(i)) },
        { name: 'name', values: Array.from({ length: 250 }, (_, i) => (i % 5 === 0 ? null : `<i>${i}</i>`)) },
      ],
    },
  ]);
  await put('table.parquet', await readFile(join(folder, 't.parquet')));
  await rm(folder, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('a page that was logged', () => {
  test('draws by its own scripts, and gets at nothing of whoever looks at it', async () => {
    await visit(
      'attack.html',
      async (page) => {
        const frame = page.frameLocator('iframe');
        await expect.poll(() => frame.locator('#out').innerText(), { timeout: 30_000 }).toContain('"worker"');
        const became = JSON.parse(await frame.locator('#out').innerText()) as Record<string, string>;
        expect(became['inline']).toBe('ran');
        expect(became['origin']).toBe('null');
        expect(Object.entries(became).filter(([name, result]) => !['origin', 'inline', 'beacon'].includes(name) && !result.startsWith('failed'))).toEqual([]);
        expect(page.url()).toContain(`/ui/runs/${run.id}`);
        expect((await api<{ name: string }>(`/runs/${run.id}`)).name).toBe('shows what it logged');
        expect(page.context().pages()).toHaveLength(1);
        expect(await page.locator('iframe').getAttribute('sandbox')).toBe('allow-scripts');
      },
      { allowed: /./ },
    );
  });
  test('opened by itself runs nothing, by whatever address', async () => {
    await visit(
      'plot.svg',
      async (page) => {
        for (const more of ['', '&frame=true']) {
          await page.goto(content('attack.html', more));
          await page.locator('#out').waitFor();
          await page.waitForTimeout(300);
          expect(await page.locator('#out').innerText()).toBe('not run');
        }
        await page.goto(content('plot.svg'));
        expect(await page.locator('svg').getAttribute('data-ran')).toBeNull();
      },
      { allowed: /script|sandbox/i },
    );
  });
  test('that needs a library from elsewhere says so', async () => {
    await visit(
      'figure.html',
      async (page) => {
        await page.frameLocator('iframe').getByText('a figure').waitFor();
        await page.getByText('asks for scripts or styles from cdn.plot.ly').waitFor();
        await page.getByText('Source', { exact: true }).click();
        await page.getByText('a figure').waitFor();
      },
      { allowed: /cdn\.plot\.ly|net::/ },
    );
  });
});

test('pictures are shown, SVG without its scripts, and what is none says so', async () => {
  await visit('plot.svg', async (page) => {
    await page.getByText('320 × 200').waitFor();
    expect(await page.getByRole('img', { name: 'plot.svg' }).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(320);
  });
  await visit('broken.png', async (page) => page.getByText('It cannot be shown').waitFor());
});

test('long text comes in pieces with line numbers', async () => {
  await visit('long.txt', async (page) => {
    const text = page.getByRole('group', { name: 'long.txt' });
    expect(await text.locator('.code').innerText()).toContain('line 1 é🚢\nline 2 ');
    const lines = async () => Number((await page.getByText(/^[\d,]+ lines$/).innerText()).replace(/\D/g, ''));
    const first = await lines();
    expect(first).toBeLessThan(30_000);
    while (await page.getByRole('button', { name: 'Load more' }).isVisible()) {
      const before = await lines();
      await page.getByRole('button', { name: 'Load more' }).click();
      await expect.poll(lines, { timeout: 15_000 }).toBeGreaterThan(before);
    }
    expect(await lines()).toBe(30_000);
    expect(await text.locator('.code').innerText()).toMatch(/line 30000 é🚢$/);
    expect(await text.innerText()).not.toContain('\ufffd');
    expect((await text.locator('.lines').innerText()).endsWith('\n30000')).toBe(true);
  });
});

test('JSON is indented with every digit, and a table when it is one', async () => {
  await visit('metrics.json', async (page) => page.getByText('"id": 9007199254740993').waitFor());
  await visit('records.json', async (page) => {
    await page.getByRole('cell', { name: '<b>row 0</b>' }).waitFor();
    await page.getByRole('button', { name: 'Next rows' }).click();
    await page.getByText('Rows 101 to 200 of 250').waitFor();
    await page.getByRole('cell', { name: '<b>row 150</b>' }).waitFor();
    await page.getByText('Text', { exact: true }).click();
    await page.getByText('"text": "<b>row 0</b>"').first().waitFor();
  });
  await visit('table.json', async (page) => {
    await page.getByRole('columnheader', { name: 'answer' }).waitFor();
    await page.getByRole('cell', { name: 'null' }).waitFor();
  });
  await visit('figure.json', async (page) => page.getByText('A figure of Plotly').waitFor());
  await visit('events.jsonl', async (page) => page.getByRole('columnheader', { name: 'b', exact: true }).waitFor());
});

test('CSV and Parquet are tables with their types, in pages', async () => {
  await visit('data.csv', async (page) => {
    await page.getByRole('cell', { name: '007' }).waitFor();
    expect(await page.getByRole('cell', { name: 'a, "quoted"' }).innerText()).toBe('a, "quoted"\nvalue');
    await page.getByRole('cell', { name: '<script>alert(1)</script>' }).waitFor();
  });
  await visit('table.parquet', async (page) => {
    await page.getByRole('columnheader', { name: 'big bigint' }).waitFor();
    await page.getByRole('cell', { name: '9007199254740993', exact: true }).waitFor();
    await page.getByText('Rows 1 to 100 of 250').waitFor();
    await page.getByRole('button', { name: 'Next rows' }).click();
    await page.getByText('Rows 101 to 200 of 250').waitFor();
    await page.getByRole('cell', { name: '<i>101</i>' }).waitFor();
  });
  await visit('ragged.csv', async (page) => page.getByRole('group', { name: 'ragged.csv' }).waitFor(), { allowed: /400/ });
});

test('Markdown is read without its HTML, and leads and shows only what is safe', async () => {
  await visit('page.md', async (page) => {
    await page.getByRole('heading', { name: 'Title' }).waitFor();
    const outside = page.getByRole('link', { name: 'outside' });
    expect([await outside.getAttribute('rel'), await outside.getAttribute('target')]).toEqual(['noopener noreferrer nofollow', '_blank']);
    expect(await page.getByRole('link', { name: 'bad one' }).count()).toBe(0);
    await page.getByText('<script>alert(1)</script>').waitFor();
    await expect.poll(() => page.getByRole('img', { name: 'plot' }).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(320);
    expect(await page.locator('img[src*="example.org"]').count()).toBe(0);
    await page.getByRole('link', { name: 'far' }).waitFor();
    await page.getByRole('link', { name: 'file', exact: true }).click();
    await page.getByRole('cell', { name: '007' }).waitFor();
  });
});

test('diffs, models, arrays and files of unknown kinds', async () => {
  await visit('source/uncommitted.diff', async (page) => {
    await page.getByText('1 file: 1 line added, 1 removed (t.py)').waitFor();
    expect(await page.locator('.bn-diff .added').innerText()).toBe('+rate = 0.2');
  });
  await visit('model/MLmodel', async (page) => {
    await page.getByText('python_function', { exact: true }).waitFor();
    await page.getByRole('group', { name: 'Inputs' }).getByText('double').waitFor();
  });
  await visit('array.npy', async (page) => page.getByText('(3, 4)').waitFor());
  await visit('unknown', async (page) => page.getByText('reads like text').waitFor());
  await visit('model/model.onnx', async (page) => page.getByText('There is no preview for this kind of file').waitFor());
});

test('names in any script, and those that look like markup, are shown as they are', async () => {
  for (const name of NAMES) await visit(`names/${name}`, async (page) => page.getByText(`the content of`).waitFor());
  await visit('names/x\u202Etxt.exe.txt', async (page) => {
    await page.getByRole('heading', { name: 'x⟨U+202E⟩txt.exe.txt' }).waitFor();
    await page.getByRole('treeitem', { name: '<img src=x onerror=alert(1)>.txt' }).waitFor();
    await page.getByRole('treeitem', { name: '⟨U+200B⟩.txt' }).waitFor();
  });
});

describe.each([
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 1440 },
  { colorScheme: 'light', width: 390 },
] as const)('$colorScheme, $width wide', (options) => {
  test.each(['plot.svg', 'long.txt', 'records.json', 'table.parquet', 'page.md', 'figure.html', 'source/uncommitted.diff', 'model/MLmodel', 'array.npy'])(
    '%s has no serious finding of axe, and fits',
    async (path) => {
      await visit(
        path,
        async (page) => {
          await page.waitForTimeout(500);
          const shots = process.env['BINNACLE_E2E_SHOTS'];
          if (shots !== undefined) await page.screenshot({ path: `${shots}/artifact-${path.replace(/\W/g, '-')}-${options.colorScheme}-${options.width}.png` });
          expect(await seriousFindings(page)).toEqual([]);
          expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        },
        { ...options, allowed: /cdn\.plot\.ly|net::/ },
      );
    },
  );
});
