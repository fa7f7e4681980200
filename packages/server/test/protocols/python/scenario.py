"""Logs one scenario to the tracking URI given and prints what searches, histories and errors answer, ids and times normalised.

Run it against two servers: whatever differs in the output is a difference that a user of MLflow would see.
"""

import json
import math
import os
import sys

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.entities.logged_model_status import LoggedModelStatus

uri, prefix = sys.argv[1], sys.argv[2]
mlflow.set_tracking_uri(uri)
client = MlflowClient()
out: dict[str, object] = {}


def clean(value: float) -> object:
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        # MLflow's SQL store keeps an infinity as the largest double.
        if abs(value) >= 1.7976931348623157e308:
            return "Infinity" if value > 0 else "-Infinity"
    return value


def attempt(name: str, call) -> None:
    try:
        call()
        out[name] = "ok"
    except Exception as error:  # noqa: BLE001
        code = getattr(error, "error_code", None)
        # MLflow forgot to give this one a code.
        out[name] = "INVALID_PARAMETER_VALUE" if "duplicate fields" in str(error) else code


experiment = client.create_experiment(f"{prefix}-search", tags={"team": "a", "größe": "ü"})
other = client.create_experiment(f"{prefix}-other")
runs: dict[str, str] = {}
names: dict[str, str] = {}
for i in range(40):
    where = experiment if i % 4 else other
    run = client.create_run(where, start_time=1000 + (i // 3), run_name=f"run {i:02d}")
    rid = run.info.run_id
    runs[f"run {i:02d}"] = rid
    names[rid] = f"run {i:02d}"
    value = {0: float("nan"), 1: float("inf"), 2: -float("inf")}.get(i % 9, (i * 7 % 13) / 4)
    metrics = [Metric("m", value, 5, 0), Metric("always", float(i % 5), 5, 0)]
    if i % 6:
        metrics.append(Metric("val/loss (x)".replace("(", "").replace(")", ""), float(-i), 5, 0))
    if i % 3:
        metrics += [Metric("some", float(i % 4), 5, 0), Metric("some", 99.0, 4, -1)]
    params = [Param("p", ["a", "B", "b", "aa"][i % 4]), Param("long", "x" * 300 + str(i % 3))]
    if i % 5 == 0:
        params.append(Param("rare", "Ünïcode%_*?["))
    tags = [RunTag("t", f"T{i % 3}"), RunTag("mlflow.user", f"user{i % 2}")]
    if i % 7 == 0:
        tags.append(RunTag("only", "seven"))
    client.log_batch(rid, metrics, params, tags)
    if i % 8 == 1:
        client.log_inputs(rid, [DatasetInput(Dataset("iris", f"d{i % 2}", "local", "{}"), [InputTag("mlflow.data.context", "train" if i % 16 == 1 else "eval")])])
    if i % 2:
        client.set_terminated(rid, ["FINISHED", "FAILED", "KILLED"][i % 3], end_time=2000 + i)
    if i % 11 == 10:
        client.delete_run(rid)


def search(filter_string="", order_by=None, view=ViewType.ACTIVE_ONLY, where=None, page=7) -> list[str]:
    found: list[str] = []
    token = None
    while True:
        result = client.search_runs(where or [experiment, other], filter_string, view, page, order_by, token)
        found += [names[run.info.run_id] for run in result]
        token = result.token
        if not token:
            break
    # Ids are random, and break the ties of the natural order.
    if order_by:
        return found
    return sorted(found) if natural(found) else ["unordered", *found]


def natural(found: list[str]) -> bool:
    starts = [int(name[4:]) // 3 for name in found]
    return starts == sorted(starts, reverse=True)


FILTERS = [
    "", "metrics.m > 1", "metrics.m >= 1.5 and metrics.always < 3", "metrics.m != 1.5", "metrics.m = 0.75", "metrics.m < 0", "metric.always = 2",
    "metrics.`val/loss x` <= -10", "params.p = 'a'", "params.p != 'a'", "params.p LIKE 'a%'", "params.p ILIKE 'b'", "param.p LIKE 'B'", "parameters.rare = 'Ünïcode%_*?['",
    "params.rare LIKE '%*?[%'", "params.rare LIKE 'Ün_code%'", "params.long LIKE '%1'", f"params.long = '{'x' * 300}2'", f"params.long != '{'x' * 300}2'", "params.rare IS NULL", "params.rare IS NOT NULL",
    "tags.only = 'seven'", "tags.only != 'eight'", "tags.only IS NULL", "tags.t = 'T1' AND tags.`mlflow.user` = 'user1'", "tag.t ILIKE 't2'", "tags.nothing = 'x'", "metrics.nothing > 0", "tags.nothing IS NULL",
    "attributes.status = 'FINISHED'", "status != 'RUNNING'", "attr.status LIKE 'F%'", "attributes.run_name = 'run 07'", "run_name LIKE 'run 1%'", "run_name ILIKE 'RUN 2%'", "attributes.`Run name` != 'run 03'",
    "start_time > 1005", "attributes.start_time <= 1003", "end_time >= 2010", "created = 1004", "user_id = 'nobody'",
    "datasets.name = 'iris'", "dataset.digest = 'd1'", "datasets.context = 'train'", "datasets.context IN ('train', 'eval')", "datasets.name LIKE 'ir%' AND metrics.m > 0", "datasets.name != 'iris'",
    "metrics.some > 1 and params.p = 'aa' and tags.t != 'T0' and start_time > 1001",
]
for f in FILTERS:
    out[f"filter {f[:80]}"] = search(f)
out["filter run_id"] = search(f"run_id = '{runs['run 05']}'")
out["filter run_id IN"] = search(f"attributes.run_id IN ('{runs['run 05']}', '{runs['run 09']}')")
out["filter run_id NOT IN"] = search(f"run_id NOT IN ('{runs['run 05']}', '{runs['run 09']}')")
for view, label in ((ViewType.DELETED_ONLY, "deleted"), (ViewType.ALL, "all")):
    out[f"view {label}"] = search("metrics.always >= 0", None, view)
ORDERS = [
    ["metrics.m DESC"], ["metrics.m ASC"], ["metrics.some DESC"], ["metrics.some"], ["params.p"], ["params.p DESC", "metrics.always"], ["params.rare"], ["params.rare DESC"], ["tags.only desc", "start_time ASC"], ["attributes.end_time DESC"], ["end_time"], ["start_time ASC"],
    ["attributes.status", "metrics.m DESC"], ["run_name DESC"], ["metrics.`val/loss x` DESC"], ["metrics.nothing", "metrics.always DESC"], ["metrics.always", "metrics.some DESC", "params.p"], ["params.long DESC", "run_name"], ["attributes.artifact_uri"],
]
for order in ORDERS:
    ties = order if any("run_name" in o for o in order) else [*order, "run_name"]
    for f in ("", "metrics.always >= 2", "tags.only = 'seven'"):
        if "artifact_uri" not in order[0]:
            out[f"order {order} {f}"] = search(f, ties)
            out[f"order {order} {f} one"] = search(f, ties, where=[experiment], page=4)
for bad in [
    "metrics.m > 'x'", "params.p > 'x'", "nope", "metrics.m >", "metrics.m > 1 OR metrics.m < 0", "foo.bar = 'x'", "attributes.nope = 'x'", "params.p = x", "status IN ('FINISHED')", "metrics.m LIKE 'x'", "metrics.m IS NULL", "datasets.foo = 'x'", "start_time > 'x'", "run_id IN ()", "tags.a NOT LIKE 'b'",
    "metrics.val/loss > 1", "params.p = 'unterminated", "metrics.m > 1; metrics.m < 2", "= 1", "params.p == 'a'", "metrics.m > 1 metrics.m < 2",
]:
    attempt(f"bad filter {bad}", lambda bad=bad: search(bad))
for bad in ["metrics.m sideways", "nope", "foo.bar", "metrics.m DESC, params.p", "datasets.name"]:
    attempt(f"bad order {bad}", lambda bad=bad: search("", [bad]))
attempt("order twice", lambda: search("", ["metrics.m", "metrics.m DESC"]))

run = runs["run 00"]
client.log_batch(run, [Metric("curve", float(s * s % 17), 100 + s, s) for s in range(250)])
client.log_batch(run, [Metric("curve", float(s * s % 17), 100 + s, s) for s in range(200, 300)])
out["history"] = [[m.key, clean(m.value), m.timestamp, m.step] for m in client.get_metric_history(run, "curve")]
out["history none"] = client.get_metric_history(run, "none")
got = client.get_run(run)
out["run"] = {
    "metrics": {k: clean(v) for k, v in sorted(got.data.metrics.items())},
    "params": dict(sorted(got.data.params.items())),
    "tags": {k: v for k, v in sorted(got.data.tags.items())},
    "info": [got.info.status, got.info.lifecycle_stage, got.info.run_name, got.info.start_time, got.info.end_time],
}
inputs = client.get_run(runs["run 01"]).inputs
out["inputs"] = [[d.dataset.name, d.dataset.digest, d.dataset.source_type, [[t.key, t.value] for t in d.tags]] for d in inputs.dataset_inputs]

attempt("param again", lambda: client.log_param(run, "p", "a"))
attempt("param changed", lambda: client.log_param(run, "p", "z"))
attempt("bad metric key", lambda: client.log_metric(run, "a?b", 1.0))
attempt("path key", lambda: client.log_param(run, "../x", "1"))
attempt("missing run", lambda: client.get_run("f" * 32))
attempt("missing experiment", lambda: client.get_experiment("123456"))
attempt("deleted run", lambda: client.log_metric(runs["run 10"], "x", 1.0))
attempt("experiment exists", lambda: client.create_experiment(f"{prefix}-search"))
attempt("missing tag", lambda: client.delete_tag(run, "nope"))
attempt("get by name none", lambda: client.get_experiment_by_name("nope") and None)

for i, (name, team) in enumerate([("alpha", "x"), ("Beta", "x"), ("gamma", "y")]):
    client.create_experiment(f"{prefix}-{name}", tags={"team": team})
client.delete_experiment(client.get_experiment_by_name(f"{prefix}-gamma").experiment_id)


def experiments(f="", order=None, view=ViewType.ACTIVE_ONLY) -> list[str]:
    found, token = [], None
    while True:
        result = client.search_experiments(view, 2, f"name LIKE '{prefix}-%'" + (f" AND {f}" if f else ""), order or ["name"], token)
        found += [e.name.removeprefix(prefix) for e in result]
        token = result.token
        if not token:
            return found


for f in ["", "tags.team = 'x'", "tags.team != 'x'", "tag.team LIKE 'X'", "tags.team ILIKE 'X'", "tags.nope IS NULL", "tags.team IS NOT NULL", "creation_time > 0", "last_update_time < 5", f"name ILIKE '{prefix}-B%'", f"name != '{prefix}-alpha'"]:
    out[f"experiments {f.replace(prefix, '')}"] = experiments(f)
out["experiments desc"] = experiments("", ["name DESC"])
out["experiments deleted"] = experiments("", None, ViewType.DELETED_ONLY)
out["experiments all"] = experiments("", ["name ASC"], ViewType.ALL)
for bad in ["metrics.a > 1", "nope = 'x'", "name > 'x'", "name = x"]:
    attempt(f"experiments bad {bad}", lambda bad=bad: client.search_experiments(filter_string=bad))

home = client.create_experiment(f"{prefix}-models")
source = client.create_run(home)
models = {}
for i in range(6):
    model = client.create_logged_model(home, f"model-{i}", source.info.run_id if i % 2 else None, tags={"stage": f"s{i % 2}"}, params={"lr": str(i / 10)}, model_type="t")
    models[model.model_id] = model.name
    if i != 5:
        client.log_metric(source.info.run_id, "auc", i / 10, timestamp=5, step=0, model_id=model.model_id, dataset_name="val" if i % 3 else "test", dataset_digest=f"d{i % 3}")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY if i % 2 else LoggedModelStatus.FAILED)


def search_models(f=None, order=None, datasets=None) -> list[str]:
    found, token = [], None
    while True:
        result = client.search_logged_models([home], f, datasets, 2, order, token)
        found += [m.name for m in result]
        token = result.token
        if not token:
            return found


for f in [None, "name = 'model-2'", "name LIKE 'model%'", "metrics.auc > 0.15", "params.lr = '0.3'", "tags.stage = 's1'", "name IN ('model-1', 'model-2')", "name != 'model-1' AND metrics.auc <= 0.3", f"source_run_id = '{source.info.run_id}'", "model_type ILIKE 'T'", "creation_timestamp > 5"]:
    out[f"models {f}"[:20]] = sorted(search_models(f))
for order in [[{"field_name": "metrics.auc"}], [{"field_name": "metrics.auc", "ascending": False}], [{"field_name": "name", "ascending": False}], [{"field_name": "metrics.auc", "dataset_name": "test"}, {"field_name": "name"}]]:
    out[f"models {order}"] = search_models(None, order)
out["models dataset"] = sorted(search_models(None, None, [{"dataset_name": "val", "dataset_digest": "d1"}]))
out["models dataset metric"] = sorted(search_models("metrics.auc > 0.2", None, [{"dataset_name": "val"}]))
attempt("models bad", lambda: search_models("foo.bar = 'x'"))
attempt("models bad order", lambda: search_models(None, [{"field_name": "params.x"}]))
first = client.get_logged_model(next(iter(models)))
out["model"] = [first.name, first.params, {k: v for k, v in first.tags.items() if k == "stage"}, [[m.key, m.value, m.dataset_name, m.step] for m in first.metrics], str(first.status)]

print(json.dumps(out, default=str))
