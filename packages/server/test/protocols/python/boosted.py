"""Autologging of XGBoost and LightGBM, models of pyfunc and ONNX and their data against the tracking URI given. Asserts; prints what it did as JSON."""

import json
import os
import sys

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import lightgbm
import mlflow
import numpy as np
import onnx
import pandas as pd
import xgboost
from mlflow import MlflowClient
from mlflow.models import infer_signature

mlflow.set_tracking_uri(sys.argv[1])
experiment = mlflow.set_experiment("boosted")
client = MlflowClient()
done: list[str] = []
rng = np.random.default_rng(0)
x = pd.DataFrame(rng.normal(size=(200, 4)), columns=["a", "b", "c", "d"])
y = (x["a"] - x["b"] > 0).astype(int)


def check(run_id: str, metric: str, rounds: int, params: dict[str, str], load) -> None:
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert params.items() <= run.data.params.items(), run.data.params
    history = client.get_metric_history(run_id, metric)
    assert [point.step for point in history] == list(range(rounds)), [point.step for point in history]
    assert history[-1].value == run.data.metrics[metric] and history[0].value > history[-1].value
    assert run.inputs.dataset_inputs and run.inputs.dataset_inputs[0].dataset.digest
    [output] = run.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert str(model.status) == "READY" and model.source_run_id == run_id
    assert {"feature_importance_weight.json", "feature_importance_gain.json", "feature_importance_split.json"} & {f.path for f in client.list_artifacts(run_id)}
    assert len(load(f"models:/{model.model_id}").predict(x)) == len(x)


mlflow.xgboost.autolog()
with mlflow.start_run(run_name="xgboost") as run:
    data = xgboost.DMatrix(x, y)
    xgboost.train({"max_depth": 2, "objective": "binary:logistic", "nthread": 1}, data, num_boost_round=7, evals=[(data, "train")], verbose_eval=False)
mlflow.xgboost.autolog(disable=True)
check(run.info.run_id, "train-logloss", 7, {"max_depth": "2", "num_boost_round": "7"}, mlflow.pyfunc.load_model)
done.append("xgboost")

mlflow.lightgbm.autolog()
with mlflow.start_run(run_name="lightgbm") as run:
    data = lightgbm.Dataset(x, y)
    settings = {"objective": "binary", "metric": "binary_logloss", "num_leaves": 5, "verbose": -1, "num_threads": 1}
    lightgbm.train(settings, data, num_boost_round=6, valid_sets=[data], valid_names=["train"])
mlflow.lightgbm.autolog(disable=True)
check(run.info.run_id, "train-binary_logloss", 6, {"num_leaves": "5", "num_boost_round": "6"}, mlflow.lightgbm.load_model)
done.append("lightgbm")


class Threshold(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: pd.DataFrame, params=None):
        limit = (params or {}).get("limit", float(open(context.artifacts["limit"]).read()))
        return (model_input["a"] > limit).astype(int).to_numpy()


os.makedirs("files", exist_ok=True)
with open("files/limit.txt", "w") as file:
    file.write("0.5")
with mlflow.start_run(run_name="pyfunc") as run:
    info = mlflow.pyfunc.log_model(
        name="threshold",
        python_model=Threshold(),
        artifacts={"limit": "files/limit.txt"},
        signature=infer_signature(x, np.array([0, 1]), params={"limit": 0.5}),
        registered_model_name="threshold",
    )
loaded = mlflow.pyfunc.load_model("models:/threshold/1")
assert loaded.predict(x).sum() == (x["a"] > 0.5).sum()
assert loaded.predict(x, params={"limit": 9.0}).sum() == 0
assert mlflow.models.get_model_info(info.model_uri).signature == loaded.metadata.signature
done.append("pyfunc")

node = onnx.helper.make_node("Mul", ["x", "x"], ["y"])
shape = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n"]) for name in ("x", "y")]
square = onnx.helper.make_model(onnx.helper.make_graph([node], "square", shape[:1], shape[1:]), opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
with mlflow.start_run(run_name="onnx") as run:
    info = mlflow.onnx.log_model(square, name="square", metadata={"team": "tide"})
numbers = np.array([1, 2, 3], dtype=np.float32)
assert mlflow.pyfunc.load_model(info.model_uri).predict({"x": numbers})["y"].tolist() == [1, 4, 9]
assert mlflow.onnx.load_model(f"runs:/{run.info.run_id}/square").graph.name == "square"
done.append("onnx")

with mlflow.start_run(run_name="data") as run:
    frame = mlflow.data.from_pandas(x, source="https://example.org/x.csv", name="x")
    array = mlflow.data.from_numpy(x.to_numpy(), targets=y.to_numpy(), name="array")
    mlflow.log_inputs([frame, array], contexts=["training", "eval"], tags_list=[{"k": "v"}, None])
    mlflow.log_input(frame, context="training")
    mlflow.log_metric("rmse", 0.25, dataset=frame, model_id=info.model_id)
inputs = {entry.dataset.name: entry for entry in client.get_run(run.info.run_id).inputs.dataset_inputs}
assert inputs.keys() == {"x", "array"} and inputs["x"].dataset.digest == frame.digest
assert {t.key: t.value for t in inputs["array"].tags} == {"mlflow.data.context": "eval"}
assert json.loads(inputs["x"].dataset.profile) == {"num_rows": 200, "num_elements": 800}
assert mlflow.data.get_source(inputs["x"]).to_dict() == {"url": "https://example.org/x.csv"}
found = mlflow.search_runs([experiment.experiment_id], f"dataset.name = 'x' AND dataset.digest = '{frame.digest}' AND dataset.context = 'training'")
assert list(found["run_id"]) == [run.info.run_id]
[metric] = client.get_logged_model(info.model_id).metrics
assert (metric.key, metric.dataset_name, metric.dataset_digest) == ("rmse", "x", frame.digest)
[best] = mlflow.search_logged_models([experiment.experiment_id], "metrics.rmse < 1", datasets=[{"dataset_name": "x"}], output_format="list")
assert best.model_id == info.model_id
done.append("data")

print(json.dumps({"done": done}))
