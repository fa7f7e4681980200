"""Everything that a user of the mlflow client sees of a server, as JSON; files by their SHA-256. Also loads the champion."""

import hashlib
import json
import math
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

uri, out = sys.argv[1], sys.argv[2]
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
client = MlflowClient()


def pages(ask, **kwargs):
    token = None
    while True:
        page = ask(page_token=token, **kwargs)
        yield from page
        token = page.token
        if not token:
            return


def value(x):
    # MLflow's database keeps the largest double in the place of an infinity.
    if math.isnan(x):
        return "NaN"
    if x >= 1.7976931348623157e308:
        return "Infinity"
    return "-Infinity" if x <= -1.7976931348623157e308 else x


def files(target):
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        try:
            mlflow.artifacts.download_artifacts(artifact_uri=target, dst_path=folder)
        except Exception as error:
            return f"none: {type(error).__name__}"
        for root, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(root, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
        return found


result = {"experiments": [], "runs": {}, "models": {}, "registry": {}}
experiments = list(pages(client.search_experiments, view_type=ViewType.ALL, max_results=50))
for e in experiments:
    result["experiments"].append(
        [e.experiment_id, e.name, e.lifecycle_stage, e.creation_time, e.last_update_time, e.tags, e.artifact_location if "s3:" in e.artifact_location else "own"]
    )
result["experiments"].sort()
for e in experiments:
    for run in pages(client.search_runs, experiment_ids=[e.experiment_id], run_view_type=ViewType.ALL, max_results=7):
        i, d = run.info, run.data
        result["runs"][i.run_id] = {
            "info": [i.experiment_id, i.run_name, i.user_id, i.status, i.start_time, i.end_time, i.lifecycle_stage],
            "params": d.params,
            "tags": d.tags,
            "metrics": {key: value(v) for key, v in d.metrics.items()},
            "history": {key: sorted([[m.timestamp, m.step, str(value(m.value))] for m in client.get_metric_history(i.run_id, key)]) for key in d.metrics},
            "datasets": sorted(
                [[x.dataset.name, x.dataset.digest, x.dataset.source_type, x.dataset.source, x.dataset.schema, x.dataset.profile, sorted([t.key, t.value] for t in x.tags)] for x in run.inputs.dataset_inputs],
                key=str,
            ),
            "model_inputs": sorted(x.model_id for x in run.inputs.model_inputs),
            "model_outputs": sorted([x.model_id, x.step] for x in (run.outputs.model_outputs if run.outputs else [])),
            "files": "in a bucket" if "s3:" in i.artifact_uri else files(f"runs:/{i.run_id}/") if i.lifecycle_stage == "active" or True else None,
        }
    for m in pages(client.search_logged_models, experiment_ids=[e.experiment_id], max_results=3):
        result["models"][m.model_id] = {
            "info": [m.experiment_id, m.name, m.model_type, m.source_run_id, str(m.status), m.creation_timestamp, m.last_updated_timestamp],
            "params": m.params,
            "tags": m.tags,
            "metrics": sorted([[x.key, value(x.value), x.step, x.timestamp, x.run_id, x.dataset_name, x.dataset_digest] for x in m.metrics or []], key=str),
            "files": files(f"models:/{m.model_id}"),
        }
for model in pages(client.search_registered_models, max_results=2):
    aliases = {alias: str(client.get_model_version_by_alias(model.name, alias).version) for alias in model.aliases}
    result["registry"][model.name] = {
        "info": [model.creation_timestamp, model.description or "", dict(model.tags), aliases],
        "versions": {},
    }
for v in pages(client.search_model_versions, max_results=3):
    result["registry"][v.name]["versions"][str(v.version)] = [
        v.creation_timestamp, v.last_updated_timestamp, v.current_stage, v.status, v.description or "", v.run_id or "", v.run_link or "", dict(v.tags), sorted(v.aliases),
        v.source if v.source.startswith(("models:", "runs:", "s3:")) else v.source[v.source.index("/artifacts") :],
        files(f"models:/{v.name}/{v.version}") if "/" not in v.name else "",
    ]
if len(sys.argv) > 3:
    result["loaded"] = type(mlflow.sklearn.load_model(sys.argv[3])).__name__
json.dump(result, open(out, "w"), ensure_ascii=False)
