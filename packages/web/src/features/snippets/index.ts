import type { Snippet } from '../../ui/snippet.ts';
import { java, javaBlock, json, python, r, rJson, segment, shell, typescript } from './quote.ts';

/** The server that a snippet talks to. */
export interface Server {
  url: string;
  /** Whether it asks for a token; the snippets then take it from BINNACLE_TOKEN. */
  token: boolean;
}

const API = '/api/binnacle/v1';
const lines = (...parts: (string | false)[]): string => parts.filter((part) => part !== false).join('\n');

/** What each language adds when the server asks for a token. */
const auth = ({ token }: Server) => ({
  shell: token && '# BINNACLE_TOKEN holds the token of the server',
  curl: token ? ` -H "Authorization: Bearer $BINNACLE_TOKEN"` : '',
  os: token && 'import os',
  mlflow: token && 'os.environ["MLFLOW_TRACKING_TOKEN"] = os.environ["BINNACLE_TOKEN"]',
  requests: token && `    headers={"Authorization": "Bearer " + os.environ["BINNACLE_TOKEN"]},`,
  sdk: token ? ', token: process.env.BINNACLE_TOKEN' : '',
  httr: token && '  req_auth_bearer_token(Sys.getenv("BINNACLE_TOKEN")) |>',
  rMlflow: token && 'Sys.setenv(MLFLOW_TRACKING_TOKEN = Sys.getenv("BINNACLE_TOKEN"))',
  java: token && `    .header("Authorization", "Bearer " + System.getenv("BINNACLE_TOKEN"))`,
});

const cli = (at: Server, ...commands: string[]): Snippet => ({
  name: 'npx binnacle',
  code: lines('# in a clone: npm run --silent binnacle -- …', auth(at).shell, `export BINNACLE_URL=${shell(at.url)}`, ...commands),
});

const sdkClient = (at: Server): string =>
  lines(`import { createClient } from '@binnacle/sdk';`, '', `const binnacle = createClient({ baseUrl: ${typescript(at.url)}${auth(at).sdk} });`);

/** A JSON request in the languages whose users have no client of ours. */
function jsonRequest(at: Server, method: 'POST' | 'PUT', path: string, body: unknown): { curl: Snippet; others: Snippet[] } {
  const url = `${at.url}${path}`;
  const own = auth(at);
  return {
    curl: {
      name: 'curl',
      code: `curl ${method === 'POST' ? '' : `-X ${method} `}${shell(url)}${own.curl} \\\n  -H 'content-type: application/json' \\\n  -d ${shell(json(body))}`,
    },
    others: [
      {
        name: 'Python',
        code: lines(
          own.os,
          'import requests',
          '',
          `response = requests.${method.toLowerCase()}(`,
          `    ${python(url)},`,
          own.requests,
          `    json=${json(body)},`,
          ')',
          'response.raise_for_status()',
          'print(response.json())',
        ),
      },
      {
        name: 'R',
        code: lines(
          'library(httr2)',
          '',
          `request(${r(url)}) |>`,
          `  req_method("${method}") |>`,
          own.httr,
          `  req_body_raw(${rJson(json(body))}, type = "application/json") |>`,
          '  req_perform() |>',
          '  resp_body_json()',
        ),
      },
      {
        name: 'Java',
        code: lines(
          'import java.net.URI;',
          'import java.net.http.*;',
          '',
          `var request = HttpRequest.newBuilder(URI.create(${java(url)}))`,
          `    .header("Content-Type", "application/json")`,
          own.java,
          `    .method("${method}", HttpRequest.BodyPublishers.ofString(${javaBlock(json(body))}))`,
          '    .build();',
          'var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());',
          'System.out.println(response.body());',
        ),
      },
    ],
  };
}

/** The same first run in every language; each works as it stands against this server. */
export function trackingSnippets(at: Server, experiment = 'my-experiment'): Snippet[] {
  const own = auth(at);
  const runs = `${at.url}${API}/runs`;
  return [
    {
      name: 'Python',
      code: lines(
        '# pip install mlflow',
        own.os,
        'import mlflow',
        '',
        own.mlflow,
        `mlflow.set_tracking_uri(${python(at.url)})`,
        `mlflow.set_experiment(${python(experiment)})`,
        '',
        'with mlflow.start_run():',
        '    mlflow.log_param("learning_rate", 0.1)',
        '    for step in range(100):',
        '        mlflow.log_metric("loss", 1 / (step + 1), step=step)',
        '',
        '# or let scikit-learn, XGBoost, PyTorch … log by themselves',
        'mlflow.autolog()',
      ),
    },
    {
      name: 'R',
      code: lines(
        '# install.packages("mlflow")',
        'library(mlflow)',
        '',
        own.rMlflow,
        `mlflow_set_tracking_uri(${r(at.url)})`,
        `mlflow_set_experiment(${r(experiment)})`,
        '',
        'with(mlflow_start_run(), {',
        '  mlflow_log_param("learning_rate", 0.1)',
        '  for (step in 1:100) mlflow_log_metric("loss", 1 / step, step = step)',
        '})',
      ),
    },
    {
      name: 'Java',
      code: lines(
        '// org.mlflow:mlflow-client',
        'import org.mlflow.tracking.*;',
        at.token && 'import org.mlflow.tracking.creds.BasicMlflowHostCreds;',
        '',
        'public class FirstRun {',
        '  public static void main(String[] args) {',
        at.token
          ? `    var client = new MlflowClient(new BasicMlflowHostCreds(${java(at.url)}, System.getenv("BINNACLE_TOKEN")));`
          : `    var client = new MlflowClient(${java(at.url)});`,
        `    var name = ${java(experiment)};`,
        '    var context = new MlflowContext(client);',
        '    context.setExperimentId(client.getExperimentByName(name)',
        '        .map(experiment -> experiment.getExperimentId())',
        '        .orElseGet(() -> client.createExperiment(name)));',
        '',
        '    var run = context.startRun("first");',
        '    run.logParam("learning_rate", "0.1");',
        '    for (int step = 0; step < 100; step++) run.logMetric("loss", 1.0 / (step + 1), step);',
        '    run.endRun();',
        '  }',
        '}',
      ),
    },
    {
      name: 'TypeScript',
      code: lines(
        '// npm install @binnacle/sdk',
        `import { startRun } from '@binnacle/sdk';`,
        '',
        'await using run = await startRun({',
        `  baseUrl: ${typescript(at.url)},`,
        at.token && '  token: process.env.BINNACLE_TOKEN,',
        `  experiment: ${typescript(experiment)},`,
        '  params: { learning_rate: 0.1 },',
        '});',
        'for (let step = 0; step < 100; step++) run.log({ loss: 1 / (step + 1) }, step);',
      ),
    },
    {
      name: 'curl',
      code: lines(
        own.shell,
        `RUN=$(curl -s ${shell(runs)}${own.curl} -H 'content-type: application/json' \\`,
        `  -d ${shell(json({ experiment, params: { learning_rate: '0.1' } }))} | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')`,
        '',
        `curl ${shell(runs)}/$RUN/log${own.curl} -H 'content-type: application/json' \\`,
        `  -d '{"metrics": [{"key": "loss", "value": 0.42, "step": 1}]}'`,
        '',
        `curl -X PATCH ${shell(runs)}/$RUN${own.curl} -H 'content-type: application/json' -d '{"status": "FINISHED"}'`,
      ),
    },
    cli(
      at,
      'npx binnacle runs ls',
      '',
      '# a real model on three million flights, on a server and a data directory of its own (in a clone: npm run demo)',
      'npm install vega-datasets',
      'npx binnacle demo',
    ),
  ];
}

export function modelSnippets(at: Server, name = 'my-model'): Snippet[] {
  const own = auth(at);
  const url = `${at.url}${API}/models/${segment(name)}`;
  return [
    cli(
      at,
      `VERSION=$(npx binnacle models push model.onnx --name ${shell(name)} --json | sed -n 's/^  "version": \\([0-9]*\\).*/\\1/p')`,
      `npx binnacle models promote ${shell(name)}/$VERSION --alias champion`,
    ),
    {
      name: 'Python',
      code: lines(
        '# pip install mlflow scikit-learn skl2onnx onnx onnxruntime',
        own.os,
        'import mlflow, mlflow.onnx',
        'from mlflow.models import infer_signature',
        'from skl2onnx import to_onnx',
        'from sklearn.datasets import load_iris',
        'from sklearn.linear_model import LogisticRegression',
        '',
        own.mlflow,
        `mlflow.set_tracking_uri(${python(at.url)})`,
        'mlflow.set_experiment("my-experiment")',
        '',
        'X, y = load_iris(return_X_y=True, as_frame=True)',
        'X = X.astype("float32")',
        'with mlflow.start_run():',
        '    model = LogisticRegression(max_iter=500).fit(X, y)',
        '    mlflow.log_metric("accuracy", model.score(X, y))',
        '    logged = mlflow.onnx.log_model(',
        '        to_onnx(model, X.to_numpy()[:1]),',
        '        name="model",',
        '        signature=infer_signature(X, model.predict(X)),',
        `        registered_model_name=${python(name)},`,
        '    )',
        `mlflow.MlflowClient().set_registered_model_alias(${python(name)}, "champion", str(logged.registered_model_version))`,
      ),
    },
    {
      name: 'R',
      code: lines(
        '# a model saved as ONNX, pushed from R',
        'library(httr2)',
        '',
        `request(${r(`${url}/versions`)}) |>`,
        '  req_method("POST") |>',
        own.httr,
        '  req_body_file("model.onnx", type = "application/octet-stream") |>',
        '  req_perform()',
      ),
    },
    {
      name: 'TypeScript',
      code: lines(
        `import { readFile } from 'node:fs/promises';`,
        sdkClient(at),
        `const model = ${typescript(name)};`,
        `const { version } = await binnacle.call('uploadVersion', { params: { model }, rawBody: await readFile('model.onnx') });`,
        `await binnacle.call('setAlias', { params: { model, alias: 'champion' }, body: { version } });`,
      ),
    },
    {
      name: 'curl',
      code: lines(
        own.shell,
        `VERSION=$(curl -s ${shell(`${url}/versions`)}${own.curl} \\`,
        `  -H 'content-type: application/octet-stream' --data-binary @model.onnx | sed 's/.*"version":\\([0-9][0-9]*\\).*/\\1/')`,
        '',
        `curl -X PUT ${shell(`${url}/aliases/champion`)}${own.curl} \\`,
        `  -H 'content-type: application/json' -d "{\\"version\\": $VERSION}"`,
      ),
    },
    {
      name: 'Java',
      code: lines(
        'import java.net.URI;',
        'import java.net.http.*;',
        'import java.nio.file.Path;',
        '',
        `var request = HttpRequest.newBuilder(URI.create(${java(`${url}/versions`)}))`,
        '    .header("Content-Type", "application/octet-stream")',
        own.java,
        '    .POST(HttpRequest.BodyPublishers.ofFile(Path.of("model.onnx")))',
        '    .build();',
        'System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());',
      ),
    },
  ];
}

export function deploySnippets(at: Server, model = 'my-model', endpoint = model): Snippet[] {
  const request = jsonRequest(at, 'PUT', `${API}/endpoints/${segment(endpoint)}`, { model, traffic: [{ alias: 'champion', weight: 100 }] });
  return [
    cli(at, `npx binnacle deploy ${shell(`${model}@champion`)} --endpoint ${shell(endpoint)}`, `npx binnacle predict ${shell(endpoint)} --input rows.json`),
    request.curl,
    {
      name: 'TypeScript',
      code: lines(
        sdkClient(at),
        `await binnacle.call('deployEndpoint', {`,
        `  params: { endpoint: ${typescript(endpoint)} },`,
        `  body: { model: ${typescript(model)}, traffic: [{ alias: 'champion', weight: 100 }] },`,
        '});',
      ),
    },
    ...request.others,
  ];
}

export function batchSnippets(at: Server, model = 'my-model'): Snippet[] {
  const request = jsonRequest(at, 'POST', `${API}/batch`, { model, alias: 'champion', input: '/data/rows.parquet', output: '/data/scored' });
  return [
    cli(at, `npx binnacle batch run --model ${shell(`${model}@champion`)} --input rows.parquet --output scored/`),
    request.curl,
    {
      name: 'TypeScript',
      code: lines(
        sdkClient(at),
        `const job = await binnacle.call('createBatchJob', {`,
        `  body: { model: ${typescript(model)}, alias: 'champion', input: '/data/rows.parquet', output: '/data/scored' },`,
        '});',
      ),
    },
    ...request.others,
  ];
}

/** Ground truth for predictions that were made. */
export function truthSnippets(at: Server, endpoint: string): Snippet[] {
  const request = jsonRequest(at, 'POST', `${API}/monitors/${segment(endpoint)}/ground-truth`, { labels: [{ predictionId: 'my-request:0', label: 1 }] });
  return [
    request.curl,
    {
      name: 'TypeScript',
      code: lines(
        sdkClient(at),
        `await binnacle.call('sendGroundTruth', {`,
        `  params: { endpoint: ${typescript(endpoint)} },`,
        `  body: { labels: [{ predictionId: 'my-request:0', label: 1 }] },`,
        '});',
      ),
    },
    ...request.others,
  ];
}

/** One request to an endpoint, with the body as it stands in the panel. */
export function requestSnippets(at: Server, path: string, body: string): Snippet[] {
  let compact = body;
  try {
    compact = JSON.stringify(JSON.parse(body));
  } catch {
    // Being typed: shown as it stands.
  }
  const own = auth(at);
  const url = `${at.url}${path}`;
  return [
    { name: 'curl', code: lines(own.shell, `curl ${shell(url)}${own.curl} \\\n  -H 'content-type: application/json' \\\n  -d ${shell(compact)}`) },
    {
      name: 'Python',
      code: lines(
        'import json',
        own.os,
        'import requests',
        '',
        // A raw string would end at three quotes and keep no others apart; as a literal it is what was typed.
        `body = json.loads(${python(compact)})`,
        `response = requests.post(`,
        `    ${python(url)},`,
        own.requests,
        '    json=body,',
        ')',
        'response.raise_for_status()',
        'print(response.json())',
      ),
    },
    {
      name: 'TypeScript',
      code: lines(
        `const response = await fetch(${typescript(url)}, {`,
        `  method: 'POST',`,
        at.token
          ? "  headers: { 'content-type': 'application/json', authorization: `Bearer ${process.env.BINNACLE_TOKEN}` },"
          : `  headers: { 'content-type': 'application/json' },`,
        `  body: JSON.stringify(${body}),`,
        '});',
        'if (!response.ok) throw new Error(await response.text());',
        'console.log(await response.json());',
      ),
    },
  ];
}
