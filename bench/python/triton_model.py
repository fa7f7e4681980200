"""The ONNX model in Triton's Python backend (its ONNX Runtime backend is in no package): the requests of a batch run together."""

import os

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def execute(self, requests):
        rows = [[pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs] for request in requests]
        feeds = {name: np.concatenate([row[i] for row in rows]) if len(rows) > 1 else rows[0][i] for i, name in enumerate(self.inputs)}
        results = self.session.run(self.outputs, feeds)
        responses, at = [], 0
        for row in rows:
            count = len(row[0])
            parts = [pb_utils.Tensor(name, value[at : at + count]) for name, value in zip(self.outputs, results)]
            responses.append(pb_utils.InferenceResponse(parts))
            at += count
        return responses
