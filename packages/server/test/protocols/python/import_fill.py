"""Fills an MLflow with one of everything. `more` as the third argument adds what comes later. Prints the ids that the test needs, as JSON."""

import json
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn.linear_model import LogisticRegression

uri, state = sys.argv[1], sys.argv[2]
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
client = MlflowClient()
ODD = "Größe 🦀 \\' % _ \"; --"

if len(sys.argv) > 3 and sys.argv[3] == "more":
    known = json.load(open(state))
    client.log_batch(known["running"], metrics=[Metric("loss", 0.01 * i, 1_700_000_001_000 + i, 100 + i) for i in range(50)])
    client.log_param(known["running"], "late", "1")
    client.set_tag(known["running"], "phase", "late")
    client.set_terminated(known["running"], "FAILED")
    mlflow.set_experiment("pricing")
    with mlflow.start_run(run_name="came later") as run:
        mlflow.log_metric("rmse", 1.25)
        mlflow.log_text("later", "later.txt")
    client.delete_run(known["child"])
    client.set_registered_model_alias("pricing model", "champion", 3)
    client.delete_registered_model_alias("pricing model", "old")
    client.update_model_version("pricing model", 3, "described later")
    client.create_experiment("an experiment of later")
    print(json.dumps({"later": run.info.run_id}))
    sys.exit()

rng = np.random.default_rng(7)
X = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
y = (X["a"] + X["b"] > 0).astype(int)
known = {}

# --- an experiment with nested, running, failed and deleted runs
pricing = mlflow.set_experiment("pricing")
client.set_experiment_tag(pricing.experiment_id, "team", "größe")
with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_params({"lr": 0.1, "text": "x" * 5000, "empty": "", "unicode": ODD})
    mlflow.set_tags({"owner": "ann", "long": "ö" * 7000, "odd": ODD})
    for step in range(300):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    client.log_batch(
        parent.info.run_id,
        metrics=[
            Metric("strange", float("nan"), 1000, 0),
            Metric("strange", float("inf"), 2000, 1),
            Metric("strange", float("-inf"), 3000, 2),
            Metric("strange", 1e-300, 3000, 2),
            Metric("strange", -0.0, 4000, -5),
            Metric("größe/ä", 3.5, 5, 2**40),
        ],
    )
    data = mlflow.data.from_pandas(X.assign(y=y), source="https://example.org/data.csv", name="prices", targets="y")
    mlflow.log_input(data, context="training", tags={"split": "1"})
    mlflow.log_input(mlflow.data.from_pandas(X, name="prices-eval"), context="eval")
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_text("größe", "größe/ä 1.txt")
    mlflow.log_dict({"a": [1, 2]}, "config.json")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "blob.bin")
        with open(path, "wb") as file:
            file.write(rng.bytes(3_000_000))
        mlflow.log_artifact(path, "deep/er")
        open(os.path.join(folder, "empty.txt"), "w").close()
        mlflow.log_artifact(os.path.join(folder, "empty.txt"))
    with mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_metric("loss", 0.5)
    with mlflow.start_run(run_name=ODD, nested=True):
        mlflow.log_param("p", "1")
known["child"] = child.info.run_id
running = client.create_run(pricing.experiment_id, run_name="still running", start_time=1_700_000_000_000, tags={"phase": "early"})
client.log_batch(
    running.info.run_id,
    metrics=[Metric("loss", 1.0, 1_700_000_000_000 + i, i) for i in range(100)],
    params=[Param("a", "1")],
    tags=[RunTag("mlflow.note.content", "# a note")],
)
known["running"] = running.info.run_id
try:
    with mlflow.start_run(run_name="fails"):
        raise RuntimeError("on purpose")
except RuntimeError:
    pass
with mlflow.start_run(run_name="deleted") as deleted:
    mlflow.log_metric("m", 1.0)
    mlflow.log_text("still here", "kept.txt")
client.delete_run(deleted.info.run_id)
known["deleted"] = deleted.info.run_id

# --- a deleted experiment, and one with a name of another kind
gone = client.create_experiment("gone", tags={"why": "tried"})
client.create_run(gone, run_name="in a deleted experiment")
client.delete_experiment(gone)
odd = client.create_experiment(ODD)
client.create_run(odd, run_name="of an odd experiment")
elsewhere = client.create_experiment("elsewhere", artifact_location="s3://a-bucket-of-nobody/runs")
client.create_run(elsewhere, run_name="files in a bucket")

# --- logged models, autolog, the registry
mlflow.set_experiment("models")
mlflow.sklearn.autolog(log_input_examples=False, silent=True)
with mlflow.start_run(run_name="autologged"):
    fitted = LogisticRegression().fit(X, y)
mlflow.sklearn.autolog(disable=True)
versions = []
for i in range(4):
    with mlflow.start_run(run_name=f"model {i}") as run:
        logged = mlflow.sklearn.log_model(fitted, name="model", params={"depth": i}, tags={"kind": "test"}, pip_requirements=["scikit-learn"])
        mlflow.log_metric("auc", 0.5 + i / 10, step=1, model_id=logged.model_id, dataset=data)
        mlflow.log_metric("auc", 0.6 + i / 10, step=2, model_id=logged.model_id)
        mlflow.log_metric("plain", float(i))
    versions.append(mlflow.register_model(f"models:/{logged.model_id}", "pricing model", tags={"i": str(i)}))
known["model"] = logged.model_id
external = mlflow.create_external_model(name="external", model_type="agent")
lost = mlflow.initialize_logged_model(name="never-finished")
client.delete_model_version("pricing model", "2")
client.update_registered_model("pricing model", "Prices, by size and place. " + ODD)
client.set_registered_model_tag("pricing model", "team", ODD)
client.update_model_version("pricing model", "1", "the first")
client.transition_model_version_stage("pricing model", "1", "Production")
client.transition_model_version_stage("pricing model", "3", "Staging")
client.set_registered_model_alias("pricing model", "champion", 1)
client.set_registered_model_alias("pricing model", "old", 1)
client.set_registered_model_alias("pricing model", "challenger", 4)
client.create_registered_model("empty model")
client.create_registered_model(f"model {ODD}".replace("/", "").replace(":", ""), tags={"a": "b"})
# A version of a folder of a run, as MLflow 2 had them.
client.create_registered_model("by path")
with mlflow.start_run(run_name="with a folder") as run:
    with tempfile.TemporaryDirectory() as folder:
        mlflow.sklearn.save_model(fitted, os.path.join(folder, "old"), pip_requirements=["scikit-learn"])
        mlflow.log_artifacts(os.path.join(folder, "old"), "old")
client.create_model_version("by path", f"{run.info.artifact_uri}/old", run.info.run_id)
client.create_model_version("by path", f"runs:/{run.info.run_id}/old", run.info.run_id)
known["folder run"] = run.info.run_id

# --- what is not carried over
mlflow.genai.register_prompt("greeting", "Hello {{name}}")


@mlflow.trace
def traced(x):
    return x + 1


traced(1)
mlflow.flush_trace_async_logging() if hasattr(mlflow, "flush_trace_async_logging") else None
json.dump(known, open(state, "w"))
print(json.dumps(known))
