"""Checks the recorded runs without training: golden examples, metrics, training sample, sizes, no machine paths.

    python examples/flight-delays/verify.py

Exits with 1 and names everything that is wrong.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pandas as pd

import export
import flights
from models import TRAINERS

RECORDED = Path("examples/flight-delays/recorded")
MODEL_BYTES, ALL_BYTES, SAMPLE_BYTES = 1 << 20, 2 << 20, 200 << 10
METRIC_TOLERANCE = 1e-5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=RECORDED)
    parser.add_argument("--data", type=Path, default=flights.DATA)
    args = parser.parse_args()
    train, val = flights.split(flights.read(args.data))
    wrong = [f"{name}: {text}" for name in TRAINERS for text in _run(args.recorded / name, train, val)]
    wrong += _folder(args.recorded)
    for text in wrong:
        print(text, file=sys.stderr)
    print("recorded runs: " + ("as they should be" if not wrong else f"{len(wrong)} wrong"))
    return int(bool(wrong))


def _run(folder: Path, train: pd.DataFrame, val: pd.DataFrame) -> list[str]:
    run = json.loads((folder / "run.json").read_text())
    scorer = export.Scorer(onnx.load(folder / "model" / "model.onnx"))
    packed, logged = (folder / kind / "binnacle" / "golden.json" for kind in ("model", "artifacts"))
    wrong = _golden(scorer, packed)
    if packed.read_bytes() != logged.read_bytes():
        wrong.append("the golden examples of run and model differ")

    last = {p["key"]: p["value"] for p in sorted(run["metrics"], key=lambda p: p["step"])}
    measured = {
        **export.quality(val[flights.TARGET].to_numpy(), scorer.late(val)),
        **export.baseline(train[flights.TARGET].to_numpy(), val[flights.TARGET].to_numpy()),
    }
    wrong += [
        f"{key} is {value:.6f}, recorded {last.get(key)}"
        for key, value in measured.items()
        if not abs(value - last.get(key, np.nan)) <= METRIC_TOLERANCE
    ]

    sample = pd.read_parquet(folder / "artifacts" / "binnacle" / "training.parquet")
    if list(sample.columns) != [*flights.FEATURES, flights.TARGET, "prediction", "score"]:
        wrong.append(f"training.parquet has the columns {list(sample.columns)}")
    elif np.abs(scorer.late(sample) - sample["score"]).max() > 1e-4:
        wrong.append("training.parquet's scores are not this model's")
    for kind in ("model", "artifacts"):
        listed = run["model"]["files"] if kind == "model" else run["artifacts"]
        missing = [name for name in listed if not (folder / kind / name).is_file()]
        if missing:
            wrong.append(f"{kind} lacks {missing}")
    return wrong


def _golden(scorer: export.Scorer, path: Path) -> list[str]:
    golden = json.loads(path.read_text())
    wrong = []
    for index, example in enumerate(golden["examples"]):
        outputs = scorer.run(pd.DataFrame([example["inputs"]]))
        for name, expected in example["outputs"].items():
            apart = float(np.max(np.abs(outputs[name][0] - np.asarray(expected))))
            if not apart <= golden["tolerance"]:
                wrong.append(f"golden example {index}: {name} is off by {apart}")
    return wrong


def _folder(folder: Path) -> list[str]:
    wrong = []
    files = [path for path in folder.rglob("*") if path.is_file()]
    if sum(path.stat().st_size for path in files) > ALL_BYTES:
        wrong.append(f"{folder} is larger than {ALL_BYTES} bytes")
    limits = {"model.onnx": MODEL_BYTES, "training.parquet": SAMPLE_BYTES}
    wrong += [f"{path} is too large" for path in files if path.stat().st_size > limits.get(path.name, MODEL_BYTES)]
    here = {str(Path.cwd()), str(Path.home()), tempfile.gettempdir()} - {"/"}
    for path in files:
        held = path.read_bytes()
        wrong += [f"{path} holds the machine's path {place}" for place in here if f"{place}/".encode() in held]
    return wrong


if __name__ == "__main__":
    sys.exit(main())
