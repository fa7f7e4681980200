import type { Snippet } from '../ui/code.tsx';

const origin = (): string => location.origin;

/** The same JSON request for R and Java, whose users have no client of ours. `body` is JSON without single quotes. */
const httpSnippets = (method: 'POST' | 'PUT', path: string, body: string): Snippet[] => [
  {
    name: 'R',
    code: `library(httr2)

request("${origin()}${path}") |>
  req_method("${method}") |>
  req_body_raw('${body}', type = "application/json") |>
  req_perform() |>
  resp_body_json()`,
  },
  {
    name: 'Java',
    code: `import java.net.URI;
import java.net.http.*;

var request = HttpRequest.newBuilder(URI.create("${origin()}${path}"))
    .header("Content-Type", "application/json")
    .method("${method}", HttpRequest.BodyPublishers.ofString("""
        ${body}"""))
    .build();
var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
System.out.println(response.body());`,
  },
];

/** The same first run in every language; each works as it stands against this server. */
export const trackingSnippets = (experiment = 'my-experiment'): Snippet[] => [
  {
    name: 'Python',
    code: `# pip install mlflow
import mlflow

mlflow.set_tracking_uri("${origin()}")
mlflow.set_experiment("${experiment}")

with mlflow.start_run():
    mlflow.log_param("learning_rate", 0.1)
    for step in range(100):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)

# or let scikit-learn, XGBoost, PyTorch … log by themselves
mlflow.autolog()`,
  },
  {
    name: 'R',
    code: `# install.packages("mlflow")
library(mlflow)

mlflow_set_tracking_uri("${origin()}")
mlflow_set_experiment("${experiment}")

with(mlflow_start_run(), {
  mlflow_log_param("learning_rate", 0.1)
  for (step in 1:100) mlflow_log_metric("loss", 1 / step, step = step)
})`,
  },
  {
    name: 'Java',
    code: `// org.mlflow:mlflow-client
import org.mlflow.tracking.*;

var client = new MlflowClient("${origin()}");
var context = new MlflowContext(client);
context.setExperimentName("${experiment}");

try (var run = context.startRun("first")) {
  run.logParam("learning_rate", "0.1");
  for (int step = 0; step < 100; step++) run.logMetric("loss", 1.0 / (step + 1), step);
}`,
  },
  {
    name: 'TypeScript',
    code: `// npm install @binnacle/sdk
import { startRun } from '@binnacle/sdk';

await using run = await startRun({
  baseUrl: '${origin()}',
  experiment: '${experiment}',
  params: { learning_rate: 0.1 },
});
for (let step = 0; step < 100; step++) run.log({ loss: 1 / (step + 1) }, step);`,
  },
  {
    name: 'curl',
    code: `RUN=$(curl -s ${origin()}/api/binnacle/v1/runs -H 'content-type: application/json' \\
  -d '{"experiment": "${experiment}", "params": {"learning_rate": "0.1"}}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')

curl ${origin()}/api/binnacle/v1/runs/$RUN/log -H 'content-type: application/json' \\
  -d '{"metrics": [{"key": "loss", "value": 0.42, "step": 1}]}'`,
  },
  {
    name: 'npx binnacle',
    code: `# a real model on real data, in its own data directory
npx binnacle demo

# what this server holds
export BINNACLE_URL=${origin()}
npx binnacle runs ls`,
  },
];

export const modelSnippets = (name = 'my-model'): Snippet[] => [
  {
    name: 'npx binnacle',
    code: `export BINNACLE_URL=${origin()}
npx binnacle models push model.onnx --name ${name}
npx binnacle models promote ${name}/1 --alias champion`,
  },
  {
    name: 'Python',
    code: `# pip install mlflow skl2onnx
import mlflow
from skl2onnx import to_onnx

mlflow.set_tracking_uri("${origin()}")
mlflow.set_experiment("my-experiment")

with mlflow.start_run():
    mlflow.onnx.log_model(
        to_onnx(model, X[:1]),
        name="model",
        signature=mlflow.models.infer_signature(X, model.predict(X)),
        registered_model_name="${name}",
    )
mlflow.MlflowClient().set_registered_model_alias("${name}", "champion", "1")`,
  },
  {
    name: 'R',
    code: `# a model saved as ONNX, pushed from R
library(httr2)

request("${origin()}/api/binnacle/v1/models/${name}/versions") |>
  req_method("POST") |>
  req_body_file("model.onnx", type = "application/octet-stream") |>
  req_perform()`,
  },
  {
    name: 'TypeScript',
    code: `import { readFile } from 'node:fs/promises';
import { createClient } from '@binnacle/sdk';

const binnacle = createClient({ baseUrl: '${origin()}' });
await binnacle.call('uploadVersion', { params: { model: '${name}' }, rawBody: await readFile('model.onnx') });
await binnacle.call('setAlias', { params: { model: '${name}', alias: 'champion' }, body: { version: 1 } });`,
  },
  {
    name: 'curl',
    code: `curl ${origin()}/api/binnacle/v1/models/${name}/versions \\
  -H 'content-type: application/octet-stream' --data-binary @model.onnx

curl -X PUT ${origin()}/api/binnacle/v1/models/${name}/aliases/champion \\
  -H 'content-type: application/json' -d '{"version": 1}'`,
  },
  {
    name: 'Java',
    code: `import java.net.URI;
import java.net.http.*;
import java.nio.file.Path;

var request = HttpRequest.newBuilder(URI.create("${origin()}/api/binnacle/v1/models/${name}/versions"))
    .header("Content-Type", "application/octet-stream")
    .POST(HttpRequest.BodyPublishers.ofFile(Path.of("model.onnx")))
    .build();
System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());`,
  },
];

export const deploySnippets = (model = 'my-model', endpoint = model): Snippet[] => [
  {
    name: 'npx binnacle',
    code: `export BINNACLE_URL=${origin()}\nnpx binnacle deploy ${model}@champion --endpoint ${endpoint}\nnpx binnacle predict ${endpoint} --input rows.json`,
  },
  {
    name: 'curl',
    code: `curl -X PUT ${origin()}/api/binnacle/v1/endpoints/${endpoint} \\
  -H 'content-type: application/json' \\
  -d '{"model": "${model}", "traffic": [{"alias": "champion", "weight": 100}]}'`,
  },
  {
    name: 'TypeScript',
    code: `import { createClient } from '@binnacle/sdk';

const binnacle = createClient({ baseUrl: '${origin()}' });
await binnacle.call('deployEndpoint', {
  params: { endpoint: '${endpoint}' },
  body: { model: '${model}', traffic: [{ alias: 'champion', weight: 100 }] },
});`,
  },
  {
    name: 'Python',
    code: `import requests

requests.put(
    "${origin()}/api/binnacle/v1/endpoints/${endpoint}",
    json={"model": "${model}", "traffic": [{"alias": "champion", "weight": 100}]},
).raise_for_status()`,
  },
  ...httpSnippets('PUT', `/api/binnacle/v1/endpoints/${endpoint}`, `{"model": "${model}", "traffic": [{"alias": "champion", "weight": 100}]}`),
];

export const batchSnippets = (model = 'my-model'): Snippet[] => [
  { name: 'npx binnacle', code: `export BINNACLE_URL=${origin()}\nnpx binnacle batch run --model ${model}@champion --input rows.parquet --output scored/` },
  {
    name: 'curl',
    code: `curl ${origin()}/api/binnacle/v1/batch -H 'content-type: application/json' \\
  -d '{"model": "${model}", "alias": "champion", "input": "/data/rows.parquet", "output": "/data/scored"}'`,
  },
  {
    name: 'TypeScript',
    code: `import { createClient } from '@binnacle/sdk';

const binnacle = createClient({ baseUrl: '${origin()}' });
const job = await binnacle.call('createBatchJob', {
  body: { model: '${model}', alias: 'champion', input: '/data/rows.parquet', output: '/data/scored' },
});`,
  },
  {
    name: 'Python',
    code: `import requests

job = requests.post(
    "${origin()}/api/binnacle/v1/batch",
    json={"model": "${model}", "alias": "champion", "input": "/data/rows.parquet", "output": "/data/scored"},
).json()`,
  },
  ...httpSnippets('POST', '/api/binnacle/v1/batch', `{"model": "${model}", "alias": "champion", "input": "/data/rows.parquet", "output": "/data/scored"}`),
];

/** Ground truth for predictions that were made. */
export const truthSnippets = (endpoint: string): Snippet[] => [
  {
    name: 'curl',
    code: `curl ${origin()}/api/binnacle/v1/monitors/${endpoint}/ground-truth \\
  -H 'content-type: application/json' \\
  -d '{"labels": [{"predictionId": "my-request:0", "label": 1}]}'`,
  },
  {
    name: 'Python',
    code: `import requests

requests.post(
    "${origin()}/api/binnacle/v1/monitors/${endpoint}/ground-truth",
    json={"labels": [{"predictionId": "my-request:0", "label": 1}]},
).raise_for_status()`,
  },
  {
    name: 'TypeScript',
    code: `import { createClient } from '@binnacle/sdk';

const binnacle = createClient({ baseUrl: '${origin()}' });
await binnacle.call('sendGroundTruth', {
  params: { endpoint: '${endpoint}' },
  body: { labels: [{ predictionId: 'my-request:0', label: 1 }] },
});`,
  },
  ...httpSnippets('POST', `/api/binnacle/v1/monitors/${endpoint}/ground-truth`, '{"labels": [{"predictionId": "my-request:0", "label": 1}]}'),
];
