"""Drives a server with the unmodified tritonclient.grpc; prints one JSON object of what it saw."""

import json
import queue
import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

url = sys.argv[1]
client = triton.InferenceServerClient(url)
seen = {}
seen["live"] = client.is_server_live()
seen["ready"] = client.is_server_ready()
seen["model_ready"] = [client.is_model_ready(*a) for a in (("sum",), ("sum", "1"), ("sum", "9"), ("nope",))]
seen["server"] = client.get_server_metadata(as_json=True)["name"]
seen["model"] = client.get_model_metadata("sum", as_json=True)


def tensors(array, datatype):
    tensor = triton.InferInput("x", list(array.shape), datatype)
    tensor.set_data_from_numpy(array)
    return [tensor]


def infer(model, array, datatype, **kwargs):
    result = client.infer(model, tensors(array, datatype), outputs=[triton.InferRequestedOutput("y")], request_id="req-1", **kwargs)
    assert result.get_response().id == "req-1"
    return result.as_numpy("y")


x = np.array([[1, 2], [3, 4]], dtype=np.float32)
seen["sum"] = infer("sum", x, "FP32").ravel().tolist()
seen["packed"] = {a: infer("sum", x, "FP32", compression_algorithm=a).ravel().tolist() for a in ("gzip", "deflate")}
seen["timed"] = infer("sum", x, "FP32", client_timeout=30).ravel().tolist()
seen["all"] = client.infer("sum", tensors(np.array([[20, 22]], dtype=np.float32), "FP32")).as_numpy("y").tolist()

samples = {
    "BOOL": np.array([[True, False]]),
    "UINT8": np.array([[0, 255]], dtype=np.uint8),
    "UINT16": np.array([[0, 65535]], dtype=np.uint16),
    "UINT32": np.array([[0, 2**32 - 1]], dtype=np.uint32),
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
seen["same"] = {t: bool(np.array_equal(infer(t, a, t), a, equal_nan=t.startswith("FP"))) for t, a in samples.items()}

large = np.arange(300_000, dtype=np.float32).reshape(150_000, 2)
answers = queue.Queue()
for _ in range(8):
    client.async_infer("FP32", tensors(large, "FP32"), lambda result, error: answers.put((result, error)))
got = [answers.get(timeout=60) for _ in range(8)]
seen["large"] = all(error is None and np.array_equal(result.as_numpy("y"), large) for result, error in got)

# A stream: callbacks come in the order of the requests, one that fails leaves the others alone.
answers = queue.Queue()
client.start_stream(lambda result, error: answers.put((result, error)))
for i in range(20):
    client.async_stream_infer("sum" if i != 7 else "nope", tensors(np.array([[i, 1]], dtype=np.float32), "FP32"), request_id=str(i), enable_empty_final_response=True)
streamed = []
for _ in range(20):
    result, error = answers.get(timeout=60)
    streamed.append(error.message() if error else [result.get_response().id, result.as_numpy("y").ravel().tolist(), result.get_response().parameters["triton_final_response"].bool_param])
client.stop_stream()
seen["stream"] = streamed[6:9]
seen["stream_order"] = [s[0] for s in streamed if isinstance(s, list)] == [str(i) for i in range(20) if i != 7]

# With triton_grpc_error the stream ends with the status of what went wrong.
answers = queue.Queue()
client.start_stream(lambda result, error: answers.put((result, error)), headers={"triton_grpc_error": "true"})
client.async_stream_infer("nope", tensors(x, "FP32"))
error = answers.get(timeout=60)[1]
client.stop_stream()
seen["stream_error"] = f"{error.status()} {error.message()}"

# Cancelled: the callback is told.
answers = queue.Queue()
call = client.async_infer("FP32", tensors(large, "FP32"), lambda result, error: answers.put((result, error)))
call.cancel()
result, error = answers.get(timeout=60)
seen["cancelled"] = error is None or error.status() == "StatusCode.CANCELLED"


def message(call):
    try:
        call()
        return "no error"
    except InferenceServerException as error:
        return f"{error.status()} {error.message()}"


seen["errors"] = {
    "unknown": message(lambda: infer("nope", x, "FP32")),
    "shape": message(lambda: infer("sum", np.zeros((1, 3), np.float32), "FP32")),
    "datatype": message(lambda: infer("sum", np.zeros((1, 2), np.float64), "FP64")),
    "version": message(lambda: client.get_model_metadata("sum", "9")),
    "version_text": message(lambda: client.get_model_metadata("sum", "latest")),
    "deadline": message(lambda: infer("FP32", large, "FP32", client_timeout=0.000001)),
}
print(json.dumps(seen))
