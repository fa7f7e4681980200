"""What the hardware gives: one session, one thread, run after run. Usage: onnx_loop.py MODEL SHAPE SECONDS -> runs a second."""

import json
import sys
import time

import numpy as np
import onnxruntime as ort

model, shape, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feeds = {session.get_inputs()[0].name: np.random.default_rng(7).random(shape, dtype=np.float32)}
for _ in range(3):
    session.run(None, feeds)
runs, begun = 0, time.perf_counter()
while (spent := time.perf_counter() - begun) < seconds:
    session.run(None, feeds)
    runs += 1
print(json.dumps({"perSecond": runs / spent, "version": ort.__version__}))
