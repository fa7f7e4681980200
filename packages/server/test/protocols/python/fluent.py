"""A day with MLflow's fluent API against the tracking URI given; every step asserts what a user would see. Prints what it did as JSON."""

import json
import os
import sys
import tempfile

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

uri, name = sys.argv[1], sys.argv[2]
mlflow.set_tracking_uri(uri)
experiment = mlflow.set_experiment(name)
client = MlflowClient()
done: list[str] = []

with mlflow.start_run(run_name="parent", tags={"kind": "outer"}, description="# A *note*") as parent:
    mlflow.log_params({f"p{i}": i for i in range(250)})
    mlflow.log_metrics({"acc": 0.5, "nan": float("nan"), "inf": float("inf")}, step=3)
    for step in range(20):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.set_tag("größe", "日本 🚢")
    with mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_metric("acc", 0.9)
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0, 1, 0]})
    dataset = mlflow.data.from_pandas(frame, source="s3://bucket/frame.csv", name="frame", targets="y")
    mlflow.log_input(dataset, context="training", tags={"split": "a"})
    mlflow.log_text("hello ü", "notes/hello.txt")
    mlflow.log_dict({"a": [1, 2]}, "conf.json")
    mlflow.log_table({"q": ["x"], "a": ["y"]}, "table.json")
    with tempfile.TemporaryDirectory() as folder:
        for file in ("a.bin", "sub/b.bin"):
            path = os.path.join(folder, file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(os.urandom(3000))
        mlflow.log_artifacts(folder, "files")
run = mlflow.get_run(parent.info.run_id)
assert run.info.status == "FINISHED" and run.info.end_time >= run.info.start_time
assert run.data.params["p249"] == "249" and len(run.data.params) == 250
assert run.data.metrics["loss"] == 0.05 and np.isnan(run.data.metrics["nan"]) and run.data.metrics["inf"] > 1e300
assert run.data.tags["größe"] == "日本 🚢" and run.data.tags["mlflow.note.content"] == "# A *note*"
assert [m.step for m in client.get_metric_history(parent.info.run_id, "loss")] == list(range(20))
[entry] = run.inputs.dataset_inputs
assert entry.dataset.name == "frame" and {t.key: t.value for t in entry.tags} == {"mlflow.data.context": "training", "split": "a"}
assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/hello.txt") == "hello ü"
assert sorted(f.path for f in client.list_artifacts(parent.info.run_id, "files")) == ["files/a.bin", "files/sub"]
assert os.path.getsize(mlflow.artifacts.download_artifacts(run_id=parent.info.run_id, artifact_path="files/sub/b.bin")) == 3000
children = mlflow.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
assert list(children["run_id"]) == [child.info.run_id]
frame = mlflow.search_runs(experiment_names=[name], filter_string="metrics.acc > 0.4 and params.p7 = '7'", order_by=["metrics.acc DESC"])
assert list(frame["run_id"]) == [parent.info.run_id] and frame["metrics.acc"][0] == 0.5
assert list(mlflow.search_runs(experiment_names=[name], order_by=["metrics.acc DESC"])["metrics.acc"]) == [0.9, 0.5]
done.append("fluent")

rng = np.random.default_rng(0)
x = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
y = (x["a"] + x["b"] > 0).astype(int)
mlflow.sklearn.autolog()
with mlflow.start_run(run_name="auto") as auto:
    fitted = LogisticRegression(C=0.5).fit(x, y)
    fitted.score(x, y)
with mlflow.start_run(run_name="grid") as grid:
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(x, y)
mlflow.sklearn.autolog(disable=True)
run = mlflow.get_run(auto.info.run_id)
assert run.data.params["C"] == "0.5" and run.data.metrics["training_accuracy_score"] > 0.8
assert run.inputs.dataset_inputs and run.outputs.model_outputs
[model] = mlflow.search_logged_models([experiment.experiment_id], f"source_run_id = '{auto.info.run_id}'", output_format="list")
assert str(model.status) == "READY" and {m.key for m in model.metrics} >= {"training_accuracy_score"}
loaded = mlflow.sklearn.load_model(f"models:/{model.model_id}")
assert (loaded.predict(x) == fitted.predict(x)).all()
assert (mlflow.pyfunc.load_model(f"runs:/{auto.info.run_id}/model").predict(x) == fitted.predict(x)).all()
nested = mlflow.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{grid.info.run_id}'")
assert len(nested) == 2 and set(nested["params.C"]) == {"0.1", "1.0"}
done.append("autolog")

with mlflow.start_run(run_name="steps") as steps:
    ids = []
    for epoch in range(3):
        info = mlflow.sklearn.log_model(fitted, name=f"checkpoint-{epoch}", step=epoch, params={"epoch": epoch}, signature=mlflow.models.infer_signature(x, y))
        ids.append(info.model_id)
        mlflow.log_metric("val", epoch / 10, step=epoch, model_id=info.model_id, dataset=dataset)
outputs = client.get_run(steps.info.run_id).outputs.model_outputs
assert [(o.model_id, o.step) for o in outputs] == [(m, i) for i, m in enumerate(ids)]
best = client.search_logged_models([experiment.experiment_id], "metrics.val >= 0", order_by=[{"field_name": "metrics.val", "ascending": False}])
assert [m.model_id for m in best] == ids[::-1]
client.set_logged_model_tags(ids[0], {"a/b": "c"})
client.delete_logged_model_tag(ids[0], "a/b")
client.delete_logged_model(ids[0])
assert len(client.search_logged_models([experiment.experiment_id], "metrics.val >= 0")) == 2
done.append("logged models")

values = [mlflow.entities.Metric("many", float(i), 1000 + i, i) for i in range(30_000)]
for at in range(0, len(values), 1000):
    client.log_batch(steps.info.run_id, values[at : at + 1000])
client.log_batch(steps.info.run_id, values[:1000])
assert len(client.get_metric_history(steps.info.run_id, "many")) == 30_000
mlflow.delete_run(child.info.run_id)
assert child.info.run_id not in set(mlflow.search_runs([experiment.experiment_id])["run_id"])
client.restore_run(child.info.run_id)
try:
    mlflow.start_span("x").__enter__()
except Exception:  # noqa: BLE001
    pass
done.append("history")

print(json.dumps({"done": done, "run": parent.info.run_id, "experiment": experiment.experiment_id}))
