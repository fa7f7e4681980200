"""Trains three classifiers of "this flight arrives 15 minutes late or more" and logs them with the mlflow client.

    python examples/flight-delays/train.py --tracking-uri http://127.0.0.1:8000

See README.md beside this file.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

import mlflow
import onnx
import onnxruntime
import pandas as pd
from mlflow import MlflowClient

import export
import flights
from models import SEED, TRAINERS, Trained

EXPERIMENT = "flight-delays"
#: How far a second training may be from the recorded one.
AUC_TOLERANCE = 0.005

ABOUT = {
    "linear": "Logistic regression over one-hot hour, weekday and airports. Its ONNX graph keeps skl2onnx's ZipMap.",
    "boosted": "Gradient boosting over target-encoded airports.",
    "bad": "Trained on labels in the wrong order, as a join on the wrong key leaves them. A gate must refuse it.",
}


def main() -> int:
    args = _arguments()
    _quiet()
    mlflow.set_tracking_uri(args.tracking_uri)
    train, val = flights.split(flights.read(args.data))
    base = export.baseline(train[flights.TARGET].to_numpy(), val[flights.TARGET].to_numpy())
    print(f"{len(train):,} flights to train on, {len(val):,} to validate on", file=sys.stderr)
    mlflow.set_experiment(EXPERIMENT)
    results, run_ids = {}, {}
    for name in args.only or TRAINERS:
        started = time.monotonic()
        run_ids[name], results[name] = _run(name, train, val, base)
        print(f"{name}: trained and logged in {time.monotonic() - started:.0f} s", file=sys.stderr)
    _print_table(results, base)
    if args.record:
        from record import record

        record(MlflowClient(), EXPERIMENT, run_ids, args.record)
        print(f"recorded into {args.record}", file=sys.stderr)
    return _check(results, args.check) if args.check else 0


def _run(name: str, train: pd.DataFrame, val: pd.DataFrame, base: dict[str, float]) -> tuple[str, dict[str, float]]:
    """One run: params, datasets, curve, model, final metrics, golden examples, training sample."""
    with mlflow.start_run(run_name=name, description=ABOUT[name]) as run:
        _log_datasets(train, val)
        trained: Trained = TRAINERS[name](train, val)
        zipmap = name == "linear"
        mlflow.log_params(
            {
                **trained.params,
                "seed": SEED,
                "features": ",".join(flights.FEATURES),
                "target": f"delay >= {flights.LATE_MINUTES}",
                "train_rows": len(train),
                "val_rows": len(val),
                "val_from": flights.VALIDATION_FROM.date().isoformat(),
                "zipmap": zipmap,
            }
        )
        *before, (last, final) = trained.curve
        for step, metrics in before:
            mlflow.log_metrics(metrics, step=step)
        model = export.convert(trained.pipeline, zipmap)
        scorer = export.Scorer(model)
        # Validated on the ONNX graph, because that is what will be served.
        result = {**final, **export.quality(val[flights.TARGET].to_numpy(), scorer.late(val)), **base}
        model_id = _log_model(model, scorer, train)
        mlflow.log_metrics(result, step=last, model_id=model_id)
        _log_files(scorer, train, val, model_id)
        return run.info.run_id, result


def _log_datasets(train: pd.DataFrame, val: pd.DataFrame) -> None:
    for rows, context in ((train, "training"), (val, "validation")):
        name = f"flights-2001-q1-{context}"
        dataset = mlflow.data.from_pandas(rows, source=flights.SOURCE, targets=flights.TARGET, name=name)
        mlflow.log_input(dataset, context=context)


def _log_model(model: onnx.ModelProto, scorer: export.Scorer, train: pd.DataFrame) -> str:
    rows = train[flights.FEATURES].head(3)
    info = mlflow.onnx.log_model(
        model,
        name="model",
        signature=export.signature(scorer, rows),
        input_example=rows,
        # Named here, because finding them out would load the model once more in a process of its own.
        pip_requirements=[f"{package.__name__}=={package.__version__}" for package in (mlflow, onnx, onnxruntime)],
        onnx_execution_providers=["CPUExecutionProvider"],
        metadata={"label": f"late: arrival delay >= {flights.LATE_MINUTES} minutes"},
    )
    return info.model_id


def _log_files(scorer: export.Scorer, train: pd.DataFrame, val: pd.DataFrame, model_id: str) -> None:
    """Golden examples into the model's package and the run; the training sample into the run."""
    with tempfile.TemporaryDirectory() as folder:
        golden, sample = Path(folder, "golden.json"), Path(folder, "training.parquet")
        export.write_golden(scorer, val, golden)
        export.write_sample(scorer, train, sample)
        MlflowClient().log_model_artifact(model_id, str(golden), "binnacle")
        for file in (golden, sample):
            mlflow.log_artifact(str(file), "binnacle")


def _quiet() -> None:
    """Hides three warnings that are known and right, so that a fourth is seen."""
    # The file is one source, found by two of mlflow's resolvers of the same name.
    warnings.filterwarnings("ignore", message="The specified dataset source can be interpreted in multiple ways")
    # Hour and weekday are never missing.
    warnings.filterwarnings("ignore", message="Hint: Inferred schema contains integer column")
    # mlflow tries the input example on its own ONNX wrapper, which feeds columns as [N]; the graph wants [N, 1].
    logging.getLogger("mlflow.models.model").setLevel(logging.ERROR)


def _print_table(results: dict[str, dict[str, float]], base: dict[str, float]) -> None:
    print(f"{'model':<10}{'ROC AUC':>10}{'Brier':>10}{'accuracy':>10}")
    for name, r in results.items():
        print(f"{name:<10}{r['val_auc']:>10.4f}{r['val_brier']:>10.4f}{r['val_accuracy']:>10.4f}")
    print(f"{'majority':<10}{0.5:>10.4f}{base['majority_brier']:>10.4f}{base['majority_accuracy']:>10.4f}")


def _check(results: dict[str, dict[str, float]], folder: Path) -> int:
    """Compares val_auc with the recorded runs; 1 if any is further away than AUC_TOLERANCE."""
    failed = 0
    for name, result in results.items():
        points = json.loads((folder / name / "run.json").read_text())["metrics"]
        recorded = max((p for p in points if p["key"] == "val_auc"), key=lambda p: p["step"])["value"]
        apart = abs(result["val_auc"] - recorded)
        failed |= apart > AUC_TOLERANCE
        verdict = "differs" if apart > AUC_TOLERANCE else "same"
        print(f"{name}: val_auc {result['val_auc']:.4f}, recorded {recorded:.4f}: {verdict}", file=sys.stderr)
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    uri = os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:8000")
    parser.add_argument("--tracking-uri", default=uri, help="default: $MLFLOW_TRACKING_URI or %(default)s")
    parser.add_argument("--data", type=Path, default=flights.DATA, help="flights-3m.parquet (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=list(TRAINERS), help="train only these")
    parser.add_argument("--record", type=Path, metavar="DIR", help="also write what was logged into DIR, for the demo")
    parser.add_argument("--check", type=Path, metavar="DIR", help="compare val_auc with the runs recorded in DIR")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
