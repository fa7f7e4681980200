import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startEmpty } from './server.ts';
import { openBrowser, openPage, seriousFindings, settled } from './ui-browser.ts';

const python = process.env['BINNACLE_PYTHON'] ?? fileURLToPath(new URL('../.cache/venv/bin/python', import.meta.url));
const SCRIPT = `
import sys, mlflow, numpy as np, pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run(run_name="logged by the client") as run:
    mlflow.log_table(pd.DataFrame({"question": ["why?", "how?"], "score": [0.5, None]}), "eval.json")
    mlflow.log_text("<h1>report</h1><script>document.querySelector('h1').textContent = 'drawn'</script>", "report.html")
    mlflow.log_dict({"a": {"b": [1, 2]}}, "config.json")
    for step in range(3):
        mlflow.log_image(np.full((40, 60 + step, 3), 80 * step, dtype=np.uint8), key="val/samples", step=step)
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(); axes.plot([1, 2, 3])
    mlflow.log_figure(figure, "plots/line.png")
    pd.DataFrame({"x": range(300), "y": ["v%d" % i for i in range(300)]}).to_parquet("/tmp/" + run.info.run_id + ".parquet")
    mlflow.log_artifact("/tmp/" + run.info.run_id + ".parquet", "data")
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
    model = LogisticRegression().fit(X, y)
    mlflow.sklearn.log_model(model, name="classifier", signature=infer_signature(X, model.predict(X)))
    import os; os.remove("/tmp/" + run.info.run_id + ".parquet")
    print(run.info.run_id)
`;

/** What the unmodified mlflow client logs is shown as what it is. */
describe.skipIf(!existsSync(python))('what mlflow logs (needs the Python environment of scripts/requirements-real.txt)', () => {
  let server: Running;
  let browser: Browser;
  let run = '';
  beforeAll(async () => {
    server = await startEmpty();
    browser = await openBrowser();
    const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(MLFLOW|BINNACLE|AWS)_/.test(key)));
    const { stdout } = await promisify(execFile)(python, ['-c', SCRIPT, server.url], { env: { ...clean, GIT_PYTHON_REFRESH: 'quiet' } });
    run =
      stdout
        .trim()
        .split('\n')
        .find((line) => /^[0-9a-f]{32}$/.test(line)) ?? '';
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function visit(search: string, work: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
    context.setDefaultTimeout(15_000);
    try {
      const { page, complaints } = await openPage(context);
      await page.goto(`${server.url}/ui/runs/${run}${search}`);
      await settled(page);
      await work(page);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }
  const artifact = (path: string): string => `?tab=artifacts&path=${encodeURIComponent(path)}`;

  test('tables, pages, dictionaries, figures and Parquet files', async () => {
    await visit(artifact('eval.json'), async (page) => {
      await page.getByRole('columnheader', { name: 'question' }).waitFor();
      await page.getByRole('cell', { name: 'why?' }).waitFor();
    });
    await visit(artifact('report.html'), async (page) => page.frameLocator('iframe').getByRole('heading', { name: 'drawn' }).waitFor());
    await visit(artifact('config.json'), async (page) => page.getByText('"b": [').waitFor());
    await visit(artifact('plots/line.png'), async (page) => page.getByText('640 × 480').waitFor());
    await visit(artifact(`data/${run}.parquet`), async (page) => {
      await page.getByRole('columnheader', { name: 'x bigint' }).waitFor();
      await page.getByText('Rows 1 to 100 of 300').waitFor();
    });
  });
  test('pictures with a key and a step are a series', async () => {
    await visit('', async (page) => {
      await page.getByRole('tab', { name: 'Series' }).click();
      await page
        .getByRole('treegrid', { name: 'Series' })
        .getByRole('button', { name: /val\/samples/ })
        .click();
      const image = page.getByRole('img', { name: /images\/val~samples/ });
      await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth), { timeout: 10_000 }).toBe(62);
      await page.getByRole('button', { name: 'Step of the file: the step before' }).click();
      await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth), { timeout: 10_000 }).toBe(61);
      expect(await seriousFindings(page)).toEqual([]);
    });
  });
  test('the files of a logged model, and its MLmodel in short', async () => {
    await visit('', async (page) => {
      await page.getByRole('link', { name: 'classifier' }).click();
      await page.getByRole('treeitem', { name: /MLmodel/ }).click();
      await page.getByText('sklearn', { exact: true }).first().waitFor();
      await page.getByRole('group', { name: 'Inputs' }).getByText('float64 [-1, 1]').waitFor();
      await page.getByRole('treeitem', { name: /requirements\.txt/ }).click();
      await page.getByText('scikit-learn==').waitFor();
      await page.getByLabel('Of', { exact: true }).selectOption({ label: 'the run' });
      await page.getByRole('treeitem', { name: /eval\.json/ }).waitFor();
    });
  });
});
