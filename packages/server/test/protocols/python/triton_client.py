"""Drives a server with the unmodified tritonclient; prints one JSON object of what it saw."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

url = sys.argv[1]
client = triton.InferenceServerClient(url, concurrency=8)
seen = {}
seen["live"] = client.is_server_live()
seen["ready"] = client.is_server_ready()
seen["model_ready"] = client.is_model_ready("sum")
seen["version_ready"] = client.is_model_ready("sum", "1")
seen["server"] = client.get_server_metadata()["extensions"]
seen["model"] = client.get_model_metadata("sum")


def infer(model, array, datatype, binary_in, binary_out, **kwargs):
    tensor = triton.InferInput("x", list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary_in)
    wanted = triton.InferRequestedOutput("y", binary_data=binary_out)
    result = client.infer(model, [tensor], outputs=[wanted], request_id="req-1", **kwargs)
    assert result.get_response()["id"] == "req-1"
    return result.as_numpy("y")


x = np.array([[1, 2], [3, 4]], dtype=np.float32)
seen["sum"] = {f"{i}{o}": infer("sum", x, "FP32", i, o).ravel().tolist() for i in (True, False) for o in (True, False)}
seen["packed"] = {
    a: infer("sum", x, "FP32", True, True, request_compression_algorithm=a, response_compression_algorithm=a).ravel().tolist() for a in ("gzip", "deflate")
}
# No outputs named: tritonclient then asks for binary data of all.
tensor = triton.InferInput("x", [1, 2], "FP32")
tensor.set_data_from_numpy(np.array([[20, 22]], dtype=np.float32))
seen["all"] = client.infer("sum", [tensor]).as_numpy("y").tolist()

samples = {
    "BOOL": np.array([[True, False]]),
    "UINT8": np.array([[0, 255]], dtype=np.uint8),
    "INT8": np.array([[-128, 127]], dtype=np.int8),
    "INT16": np.array([[-32768, 32767]], dtype=np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1]], dtype=np.int32),
    "INT64": np.array([[-(2**63), 2**63 - 1]], dtype=np.int64),
    "UINT64": np.array([[0, 2**64 - 1]], dtype=np.uint64),
    "FP16": np.array([[1.5, 65504]], dtype=np.float16),
    "FP32": np.array([[np.nan, np.inf]], dtype=np.float32),
    "FP64": np.array([[1e-300, -1e300]], dtype=np.float64),
    "BYTES": np.array([["größe".encode(), b""]], dtype=np.object_),
}
same = {}
for datatype, array in samples.items():
    forms = [(True, True)] if datatype in ("FP16", "FP32") else [(True, True), (False, True), (True, False), (False, False)]
    back = [infer(datatype, array, datatype, *form) for form in forms]
    same[datatype] = all(np.array_equal(b.astype(array.dtype) if datatype != "BYTES" else b, array, equal_nan=datatype.startswith("FP")) or [v if isinstance(v, bytes) else v.encode() for v in b.ravel()] == array.ravel().tolist() for b in back)
seen["same"] = same

large = np.arange(300_000, dtype=np.float32).reshape(150_000, 2)
pending = []
for _ in range(8):
    tensor = triton.InferInput("x", [150_000, 2], "FP32")
    tensor.set_data_from_numpy(large)
    pending.append(client.async_infer("FP32", [tensor]))
seen["large"] = all(np.array_equal(p.get_result().as_numpy("y"), large) for p in pending)


def message(call):
    try:
        call()
        return "no error"
    except InferenceServerException as error:
        return f"{error.status()} {error.message()}"


seen["errors"] = {
    "unknown": message(lambda: infer("nope", x, "FP32", True, True)),
    "shape": message(lambda: infer("sum", np.zeros((1, 3), np.float32), "FP32", True, True)),
    "datatype": message(lambda: infer("sum", np.zeros((1, 2), np.float64), "FP64", True, True)),
    "version": message(lambda: client.get_model_metadata("sum", "9")),
}
print(json.dumps(seen))
