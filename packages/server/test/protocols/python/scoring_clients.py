"""What MLflow's unmodified clients, and boto3's for SageMaker, get from a server: list, look up, predict, errors."""

import json
import os
import sys

url, endpoint = sys.argv[1], sys.argv[2]
os.environ.update(
    AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y", AWS_DEFAULT_REGION="us-east-1", AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0"
)

import boto3
import botocore.exceptions
import mlflow.deployments
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

seen = {}
frame = pd.DataFrame({"width": [0.25, 1.0], "height": [0.5, 0.0]})

client = mlflow.deployments.get_deploy_client(url)
seen["list"] = [e.model_dump() for e in client.list_endpoints()]
seen["get"] = client.get_endpoint(endpoint).model_dump()
seen["predict"] = client.predict(endpoint=endpoint, inputs={"dataframe_split": frame.to_dict(orient="split")})
for name, call in {
    "get_unknown": lambda: client.get_endpoint("nobody"),
    "predict_unknown": lambda: client.predict(endpoint="nobody", inputs={"inputs": []}),
    "predict_wrong": lambda: client.predict(endpoint=endpoint, inputs={"other": 1}),
}.items():
    try:
        call()
    except Exception as error:
        seen[name] = str(error)

# Of a server with a default endpoint, and of one endpoint.
address = url.removeprefix("http://")
host, port = address.split(":")
for where, scoring in {"server": ScoringServerClient(host, port), "endpoint": ScoringServerClient(host, f"{port}/endpoints/{endpoint}")}.items():
    scoring.wait_server_ready(timeout=10)
    seen[f"scoring_{where}"] = scoring.invoke(frame, params={"a": 1}).get_predictions().to_dict(orient="records")
seen["version"] = scoring.get_version()

runtime = boto3.client("sagemaker-runtime")
answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=frame.to_csv(index=False), ContentType="text/csv", Accept="text/csv", CustomAttributes="trace=1", TargetVariant="A")
seen["sagemaker_csv"] = [answer["ContentType"], answer["Body"].read().decode()]
answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=json.dumps({"inputs": frame.to_dict(orient="list")}), ContentType="application/json")
seen["sagemaker_json"] = [answer["ContentType"], json.loads(answer["Body"].read())]
answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=frame.to_parquet(), ContentType="application/vnd.apache.parquet")
seen["parquet"] = json.loads(answer["Body"].read())
try:
    runtime.invoke_endpoint(EndpointName=endpoint, Body="{", ContentType="application/json")
except botocore.exceptions.ClientError as error:
    seen["sagemaker_wrong"] = error.response["ResponseMetadata"]["HTTPStatusCode"]

deployments = mlflow.deployments.get_deploy_client("sagemaker:/us-east-1")
seen["sagemaker_mlflow"] = deployments.predict(endpoint, frame).get_predictions().to_dict(orient="records")
print(json.dumps(seen))
