"""Makes the models that the benchmarks serve and score with, into the folder given.

serving.onnx     gradient boosting, 50 trees, one float input [N,12], with zipmap off; also as an MLflow model in serving/
serving.json     rows to send and the probabilities that scikit-learn gives for them
linear.onnx      logistic regression over eight numbers of a flight, one float input [N,8]
trees.onnx       100 boosted trees over the same
identity.onnx    one float input [N,K], given back
dense.onnx       two layers of 1024, 8.4 MB of weights, one float input [N,1024]
large.onnx       24 such layers, 101 MB of weights

A file ``made`` with this script's version marks a complete folder; nothing is made twice.
"""

import json
import sys
import warnings
from pathlib import Path

VERSION = "5"
SEED = 7


def main(out: Path, flights: str) -> None:
    mark = out / "made"
    if mark.exists() and mark.read_text() == VERSION:
        return
    out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    serving(out)
    batch(out, flights)
    tensors(out)
    dense(out / "dense.onnx", layers=2)
    dense(out / "large.onnx", layers=24)
    mark.write_text(VERSION)


def save(model, width: int, path: Path):
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    graph = to_onnx(model, initial_types=[("X", FloatTensorType([None, width]))], options={"zipmap": False}, target_opset=17)
    path.write_bytes(graph.SerializeToString())
    return graph


def serving(out: Path) -> None:
    import numpy as np
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec
    from sklearn.datasets import make_classification
    from sklearn.ensemble import GradientBoostingClassifier

    x, y = make_classification(n_samples=20_000, n_features=12, n_informative=8, random_state=SEED)
    x = x.astype(np.float32)
    model = GradientBoostingClassifier(n_estimators=50, max_depth=3, random_state=SEED).fit(x[:15_000], y[:15_000])
    graph = save(model, 12, out / "serving.onnx")
    rows = x[15_000:15_064]
    expected = model.predict_proba(rows)[:, 1]
    (out / "serving.json").write_text(json.dumps({"rows": rows.round(4).tolist(), "probabilities": expected.tolist()}))
    tensor = np.dtype(np.float32)
    signature = ModelSignature(
        inputs=Schema([TensorSpec(tensor, (-1, 12), "X")]),
        outputs=Schema([TensorSpec(np.dtype(np.int64), (-1,), "label"), TensorSpec(tensor, (-1, 2), "probabilities")]),
    )
    folder = out / "serving"
    if not folder.exists():
        mlflow.onnx.save_model(graph, folder, signature=signature, pip_requirements=["onnxruntime"])


def batch(out: Path, flights: str) -> None:
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from flight_features import features

    table = pd.read_parquet(flights).sample(200_000, random_state=SEED)
    x, late = features(table), (table["delay"] >= 15).to_numpy()
    save(make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(x, late), x.shape[1], out / "linear.onnx")
    trees = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=31, early_stopping=False, random_state=SEED).fit(x, late)
    save(trees, x.shape[1], out / "trees.onnx")


def tensors(out: Path) -> None:
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "K"]) for name in ("X", "Y")]
    graph = helper.make_graph([helper.make_node("Identity", ["X"], ["Y"])], "identity", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (out / "identity.onnx").write_bytes(model.SerializeToString())


def dense(path: Path, layers: int) -> None:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    width = 1024
    random = np.random.default_rng(SEED)
    weights = [numpy_helper.from_array(random.standard_normal((width, width), np.float32) / 32, f"w{i}") for i in range(layers)]
    names = ["X", *[f"h{i}" for i in range(1, layers)], "Y"]
    nodes = [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(layers)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width]) for name in ("X", "Y")]
    graph = helper.make_graph(nodes, "dense", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
