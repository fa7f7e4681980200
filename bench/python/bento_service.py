"""The ONNX model as a BentoML service with adaptive batching, as its documentation has it: one worker, one session with one thread."""

import os

import bentoml
import numpy as np
import onnxruntime as ort


@bentoml.service(workers=1, threads=1, traffic={"timeout": 60, "max_concurrency": 10_000}, metrics={"enabled": False})
class Tabular:
    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])

    @bentoml.api(batchable=os.environ.get("BATCHABLE") == "1", max_batch_size=128, max_latency_ms=1000)
    def invocations(self, inputs: np.ndarray) -> np.ndarray:
        return self.session.run(["probabilities"], {"X": inputs.astype(np.float32)})[0]
