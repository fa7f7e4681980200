"""A day with artifacts in a bucket, by the unmodified client. argv: server URL, folder for files. Prints one JSON object at the end."""

import hashlib
import json
import os
import sys
import tempfile
import time

import mlflow
import numpy as np
import requests
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

url, folder = sys.argv[1:3]
mlflow.set_tracking_uri(url)
client = MlflowClient()
result = {}


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


big = os.path.join(folder, "big file.bin")
with open(big, "wb") as file:
    rng = np.random.default_rng(1)
    for _ in range(60):
        file.write(rng.bytes(1024 * 1024))

with mlflow.start_run() as run:
    run_id = run.info.run_id
    mlflow.log_artifact(big, "large")
    mlflow.log_text("small", "notes/small.txt")
    x = rng.normal(size=(200, 3)).astype(np.float32)
    y = (x.sum(axis=1) > 0).astype(np.int64)
    model = LogisticRegression().fit(x, y)
    onnx_model = to_onnx(model, x[:1], options={"zipmap": False})
    info = mlflow.onnx.log_model(onnx_model, name="model", registered_model_name="in-a-bucket")

result["listed"] = sorted((f.path, f.file_size) for f in client.list_artifacts(run_id, "large"))
with tempfile.TemporaryDirectory() as target:
    local = download_artifacts(run_id=run_id, artifact_path="large/big file.bin", dst_path=target)
    result["same"] = sha256(local) == sha256(big)

loaded = mlflow.onnx.load_model("models:/in-a-bucket/1")
result["loaded"] = loaded.SerializeToString() == onnx_model.SerializeToString()
predicted = mlflow.pyfunc.load_model(info.model_uri).predict(x[:5])
result["predicted"] = [int(v) for v in np.asarray(predicted["label"]).ravel()] == [int(v) for v in model.predict(x[:5])]

# Served from the local copy.
reply = requests.put(f"{url}/api/binnacle/v1/endpoints/bucket", json={"model": "in-a-bucket", "traffic": [{"version": 1}]}, timeout=60)
reply.raise_for_status()
for _ in range(100):
    reply = requests.post(f"{url}/endpoints/bucket/invocations", json={"inputs": x[:5].tolist()}, timeout=60)
    if reply.status_code == 200:
        break
    time.sleep(0.1)
reply.raise_for_status()
result["served"] = [int(v) for v in np.asarray(reply.json()["predictions"]["label"]).ravel()] == [int(v) for v in model.predict(x[:5])]

# Links of one's own, as sagemaker-mlflow asks for them.
api = f"{url}/api/2.0/mlflow/artifacts"
link = requests.post(f"{api}/presigned-upload-url", json={"run_id": run_id, "path": "direct/ü.txt"}, timeout=60).json()
requests.put(link["presigned_url"], data=b"past the server", headers=link["headers"], timeout=60).raise_for_status()
result["direct"] = mlflow.artifacts.load_text(f"runs:/{run_id}/direct/ü.txt")
link = requests.post(f"{api}/presigned-download-url", json={"run_id": run_id, "path": "large/big file.bin"}, timeout=60).json()
part = requests.get(link["presigned_url"], headers={**link["headers"], "Range": "bytes=10-19"}, timeout=60)
with open(big, "rb") as file:
    result["parts"] = part.headers["ETag"].strip('"').split("-")[1]
    result["range"] = [part.status_code, part.content == file.read()[10:20], link["file_size"]]

# Range through the server.
part = requests.get(f"{url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/notes/small.txt", headers={"Range": "bytes=1-3"}, timeout=60)
result["proxied range"] = [part.status_code, part.headers["content-range"], part.text]

mlflow.artifacts.list_artifacts(run_id=run_id)
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

get_artifact_repository(run.info.artifact_uri).delete_artifacts("large")
result["deleted"] = client.list_artifacts(run_id, "large")
result["run_id"] = run_id
print(json.dumps(result))
