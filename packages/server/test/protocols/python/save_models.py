"""Saves two ONNX models in MLflow's format, one with a signature of columns, one of tensors."""

import sys

import mlflow.onnx
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression, LogisticRegression

folder = sys.argv[1]
rng = np.random.default_rng(7)
x = rng.random((200, 2)).astype(np.float32)
y = x @ np.array([2, -1], dtype=np.float32)

regression = to_onnx(LinearRegression().fit(x, y), x[:1])
columns = pd.DataFrame(x.astype(np.float64), columns=["width", "height"])
mlflow.onnx.save_model(regression, f"{folder}/columns", signature=infer_signature(columns, pd.DataFrame({"variable": y})))

classifier = to_onnx(LogisticRegression().fit(x, y > 0.5), x[:1], options={"zipmap": False})
mlflow.onnx.save_model(classifier, f"{folder}/tensors", signature=infer_signature(x, {"label": np.array([0]), "probabilities": np.zeros((1, 2), np.float32)}))
