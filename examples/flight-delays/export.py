"""From a fitted pipeline to what Binnacle wants of a model: the ONNX graph, golden examples, the training sample.

The formats of ``golden.json`` and ``training.parquet`` are in the README.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline

from flights import FEATURES, TARGET, feed

INPUTS = [
    ("dep_hour", Int64TensorType([None, 1])),
    ("day_of_week", Int64TensorType([None, 1])),
    ("distance", FloatTensorType([None, 1])),
    ("origin", StringTensorType([None, 1])),
    ("destination", StringTensorType([None, 1])),
]
GOLDEN_ROWS = 20
GOLDEN_TOLERANCE = 1e-4
#: Enough for a week's noise floor, little enough for 200 KB a model.
SAMPLE_ROWS = 24_000


class Scorer:
    """The ONNX model as a server runs it: the ZipMap that skl2onnx adds by default turned into an Identity.

    ZipMap's output is a list of dictionaries, which most runtimes' bindings refuse; its input is the tensor
    [N, 2] that everyone wants, here under the output's own name. ``outputs`` holds the names: label, then
    probabilities.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        bare = onnx.ModelProto()
        bare.CopyFrom(model)
        for node in (n for n in bare.graph.node if n.op_type == "ZipMap"):
            node.op_type, node.domain = "Identity", ""
            del node.attribute[:]
            output = next(o for o in bare.graph.output if o.name == node.output[0])
            output.CopyFrom(onnx.helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT, [None, 2]))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(bare.SerializeToString(), options, ["CPUExecutionProvider"])
        self.outputs = [output.name for output in self._session.get_outputs()]

    def run(self, rows: pd.DataFrame) -> dict[str, np.ndarray]:
        """Every output for these rows: the label int64 [N] and the probabilities float32 [N, 2]."""
        return dict(zip(self.outputs, self._session.run(None, feed(rows))))

    def late(self, rows: pd.DataFrame) -> np.ndarray:
        """The probability of arriving late, float32 [N]."""
        return self.run(rows)[self.outputs[1]][:, 1]


def convert(pipeline: Pipeline, zipmap: bool) -> onnx.ModelProto:
    """One graph from raw columns to probabilities. Raises if the graph and scikit-learn would disagree on names."""
    model = to_onnx(pipeline, initial_types=INPUTS, options={"zipmap": zipmap})
    names = [value.name for value in model.graph.input]
    if names != FEATURES:
        raise RuntimeError(f"the converted graph's inputs are {names}, not {FEATURES}")
    return model


def quality(target: np.ndarray, late: np.ndarray) -> dict[str, float]:
    """``val_*`` metrics of one set of scores."""
    return {
        "val_auc": float(roc_auc_score(target, late)),
        "val_logloss": float(log_loss(target, late.astype(np.float64))),
        "val_brier": float(brier_score_loss(target, late)),
        "val_accuracy": float(np.mean((late >= 0.5) == target)),
    }


def baseline(train_target: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """What one gets without a model: always "on time", and always the training share of late flights."""
    share = float(np.mean(train_target))
    return {
        "majority_accuracy": float(np.mean(target == round(share))),
        "majority_brier": float(np.mean((target - share) ** 2)),
    }


def signature(scorer: Scorer, rows: pd.DataFrame) -> ModelSignature:
    """Named columns in, named tensors out."""
    return infer_signature(rows[FEATURES], scorer.run(rows))


def write_golden(scorer: Scorer, rows: pd.DataFrame, path: Path) -> None:
    """Examples that any correct deployment must reproduce; the last one has airports that training never saw.

    Rows too close to the decision threshold are left out: rounding could flip their label.
    """
    candidates = rows[FEATURES].sample(GOLDEN_ROWS * 4, random_state=1)
    clear = candidates[np.abs(scorer.late(candidates) - 0.5) > 0.01].head(GOLDEN_ROWS - 1)
    unseen = clear.head(1).assign(origin="ZZZ", destination="QQQ")
    chosen = pd.concat([clear, unseen], ignore_index=True)
    examples = []
    for index in range(len(chosen)):
        # Scored one by one: an example must not depend on its neighbours in a batch.
        row = chosen.iloc[[index]]
        outputs = {name: _plain(value[0]) for name, value in scorer.run(row).items()}
        examples.append({"inputs": {name: _plain(row[name].iloc[0]) for name in FEATURES}, "outputs": outputs})
    lines = ",\n    ".join(json.dumps(example) for example in examples)
    path.write_text(
        f'{{\n  "version": 1,\n  "tolerance": {GOLDEN_TOLERANCE},\n  "examples": [\n    {lines}\n  ]\n}}\n'
    )


def write_sample(scorer: Scorer, train: pd.DataFrame, path: Path) -> None:
    """Training rows for the profile: features, ``target``, and the model's ``prediction`` and ``score``."""
    sample = train.sample(min(SAMPLE_ROWS, len(train)), random_state=2).sort_index()
    late = scorer.late(sample)
    table = pd.DataFrame(
        {
            **{name: sample[name] for name in FEATURES},
            TARGET: sample[TARGET],
            "prediction": (late >= 0.5).astype("int64"),
            # Four decimals are plenty for a histogram, and halve the file.
            "score": np.round(late.astype("float64"), 4),
        }
    )
    table.to_parquet(path, index=False, compression="zstd", compression_level=19, row_group_size=SAMPLE_ROWS)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return [round(float(item), 7) for item in value]
    return value.item() if isinstance(value, np.generic) else value
