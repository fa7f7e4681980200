"""Writes what runs logged into small files, so that the demo can replay them without Python.

Read back from the tracking server through the public client, so it works against any MLflow server. The
folder's layout is in the README.
"""

import json
import shutil
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run

#: Tags that say who trained where, which a replay must not claim.
PRIVATE_TAGS = {"mlflow.user", "mlflow.source.git.commit", "mlflow.source.git.branch", "mlflow.source.git.repoURL"}


def record(client: MlflowClient, experiment: str, run_ids: dict[str, str], folder: Path) -> None:
    """Replaces the recorded runs of these names (name to run id) below ``folder``."""
    for name, run_id in run_ids.items():
        target = folder / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        run = client.get_run(run_id)
        model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
        _download(f"models:/{model.model_id}", target / "model")
        _download(f"runs:/{run_id}/binnacle", target / "artifacts" / "binnacle")
        described = {
            "version": 1,
            "experiment": experiment,
            "name": name,
            "run_id": run_id,
            "status": run.info.status,
            "start_time": run.info.start_time,
            "end_time": run.info.end_time,
            "params": dict(sorted(run.data.params.items())),
            "tags": _public(run.data.tags),
            "datasets": _datasets(run),
            "model": {
                "name": model.name,
                "model_id": model.model_id,
                "model_type": model.model_type or "",
                "params": model.params,
                "tags": _public(model.tags),
                "files": _files(target / "model"),
            },
            "artifacts": _files(target / "artifacts"),
        }
        (target / "run.json").write_text(_render(described, _metrics(client, run, model)))


def _metrics(client: MlflowClient, run: Run, model: LoggedModel) -> list[dict[str, object]]:
    """Every point in the order of logging; ``model`` marks those that the client tied to the logged model."""
    tied = {(m.key, m.step, m.timestamp) for m in model.metrics or []}
    points = []
    for key in sorted(run.data.metrics):
        for m in client.get_metric_history(run.info.run_id, key):
            point = {"key": key, "value": m.value, "timestamp": m.timestamp, "step": m.step}
            points.append({**point, "model": True} if (key, m.step, m.timestamp) in tied else point)
    return sorted(points, key=lambda p: (p["timestamp"], p["step"], p["key"]))


def _datasets(run: Run) -> list[dict[str, object]]:
    return [
        {
            "name": used.dataset.name,
            "digest": used.dataset.digest,
            "source_type": used.dataset.source_type,
            "source": used.dataset.source,
            "schema": used.dataset.schema,
            "profile": used.dataset.profile,
            "tags": {tag.key: tag.value for tag in used.tags},
        }
        for used in run.inputs.dataset_inputs
    ]


def _public(tags: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in sorted(tags.items()) if key not in PRIVATE_TAGS}


def _download(uri: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fetched = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
        # The client adds registered_model_meta to what it downloads by a models:/ address; nobody logged it.
        shutil.copytree(fetched, target, ignore=shutil.ignore_patterns("registered_model_meta"))


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _render(described: dict[str, object], metrics: list[dict[str, object]]) -> str:
    """JSON with a line a metric point: a re-recording then shows as a readable difference."""
    head = json.dumps(described, indent=2, ensure_ascii=False)
    lines = ",\n    ".join(json.dumps(point) for point in metrics)
    return f'{head[:-2]},\n  "metrics": [\n    {lines}\n  ]\n}}\n'
