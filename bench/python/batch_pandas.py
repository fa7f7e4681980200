"""Parquet to Parquet the way a data scientist writes it: pandas reads, ONNX Runtime predicts in chunks, pandas writes.

Usage: batch_pandas.py MODEL INPUT OUTPUT CHUNK_ROWS ROWS. Prints one JSON object with seconds by phase.
All input columns are passed through, as Binnacle does. ROWS 0 means all of them.
"""

import json
import sys
import time

begun = time.perf_counter()

import numpy as np
import onnxruntime as ort
import pandas as pd

from flight_features import features


def main(model: str, source: str, target: str, chunk: int, rows: int) -> None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    imported = time.perf_counter()

    table = pd.read_parquet(source)
    if rows:
        table = table.iloc[:rows]
    read = time.perf_counter()

    inside = 0.0
    labels, probabilities = [], []
    for start in range(0, len(table), chunk):
        x = features(table.iloc[start : start + chunk])
        before = time.perf_counter()
        label, probability = session.run(None, {"X": x})
        inside += time.perf_counter() - before
        labels.append(label)
        probabilities.append(probability)
    probability = np.concatenate(probabilities)
    table = table.assign(**{"label": np.concatenate(labels), "probabilities[0]": probability[:, 0], "probabilities[1]": probability[:, 1]})
    predicted = time.perf_counter()

    table.to_parquet(target, index=False)
    done = time.perf_counter()
    print(
        json.dumps(
            {
                "rows": len(table),
                "startSeconds": imported - begun,
                "readSeconds": read - imported,
                "predictSeconds": predicted - read,
                "writeSeconds": done - predicted,
                "inferenceSeconds": inside,
                "totalSeconds": done - imported,
                "positive": int((table["label"] == 1).sum()),
                "meanProbability": float(table["probabilities[1]"].mean()),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
