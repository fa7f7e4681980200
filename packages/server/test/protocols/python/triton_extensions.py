"""Drives every extension of a server with the unmodified tritonclient (http); prints one JSON object of what it saw."""

import json
import sys

import numpy as np
import tritonclient.http as triton
import tritonclient.utils.shared_memory as shm
from tritonclient.utils import InferenceServerException

url = sys.argv[1]
client = triton.InferenceServerClient(url)
seen = {}


def message(call):
    try:
        call()
        return "no error"
    except InferenceServerException as error:
        return f"{error.status()} {error.message()}"


def tensor(array, datatype="FP32", name="x"):
    out = triton.InferInput(name, list(array.shape), datatype)
    out.set_data_from_numpy(array)
    return out


x = np.array([[1, 2], [3, 4]], dtype=np.float32)

# Classification.
wanted = triton.InferRequestedOutput("y", class_count=2)
seen["classes"] = client.infer("FP32", [tensor(x)], outputs=[wanted]).as_numpy("y").tolist()
seen["classes"] = [[item.decode() for item in row] for row in seen["classes"]]

# Parameters, priority, time-out, sequence.
result = client.infer("sum", [tensor(x)], priority=1, timeout=5_000_000, sequence_id=7, sequence_start=True, sequence_end=True, parameters={"own": "value", "n": 1})
seen["parameters"] = result.as_numpy("y").ravel().tolist()
seen["string_sequence"] = client.infer("sum", [tensor(x)], sequence_id="a-b", sequence_start=True).as_numpy("y").ravel().tolist()

# System shared memory.
region = shm.create_shared_memory_region("input", "/binnacle_in", x.nbytes)
back = shm.create_shared_memory_region("output", "/binnacle_out", 64)
shm.set_shared_memory_region(region, [x])
client.register_system_shared_memory("input", "/binnacle_in", x.nbytes)
client.register_system_shared_memory("output", "/binnacle_out", 64)
seen["regions"] = sorted(client.get_system_shared_memory_status(), key=lambda one: one["name"])
given = triton.InferInput("x", [2, 2], "FP32")
given.set_shared_memory("input", x.nbytes)
taken = triton.InferRequestedOutput("y")
taken.set_shared_memory("output", 8, offset=16)
result = client.infer("sum", [given], outputs=[taken])
output = result.get_output("y")
seen["memory"] = shm.get_contents_as_numpy(back, np.float32, [2, 1], offset=16).ravel().tolist()
seen["memory_output"] = {"shape": output["shape"], "datatype": output["datatype"], "data": "data" in output}
client.unregister_system_shared_memory("input")
client.unregister_system_shared_memory()
seen["regions_left"] = client.get_system_shared_memory_status()
seen["no_region"] = message(lambda: client.infer("sum", [given]))
shm.destroy_shared_memory_region(region)
shm.destroy_shared_memory_region(back)

# Strings in shared memory.
strings = np.array([["größe".encode(), b"\xff\x00raw"]], dtype=np.object_)
from tritonclient.utils import serialize_byte_tensor  # noqa: E402

serialized = serialize_byte_tensor(strings)
size = len(serialized.item())
region = shm.create_shared_memory_region("strings", "/binnacle_strings", size)
shm.set_shared_memory_region(region, [serialized])
client.register_system_shared_memory("strings", "/binnacle_strings", size)
given = triton.InferInput("x", [1, 2], "BYTES")
given.set_shared_memory("strings", size)
seen["raw_strings"] = [value for value in client.infer("keeps", [given]).as_numpy("x").ravel().tolist()] == strings.ravel().tolist()
seen["raw_strings_onnx"] = message(lambda: client.infer("BYTES", [given]))
client.unregister_system_shared_memory("strings")
shm.destroy_shared_memory_region(region)

# Model repository.
seen["index"] = sorted(one["name"] for one in client.get_model_repository_index() if one.get("state") == "READY")
client.unload_model("sum")
seen["unloaded"] = client.is_model_ready("sum")
client.load_model("sum", config=json.dumps({"max_batch_size": 8, "dynamic_batching": {"max_queue_delay_microseconds": 100}}))
seen["loaded"] = client.is_model_ready("sum", "1")
seen["config"] = {key: client.get_model_config("sum")[key] for key in ("name", "max_batch_size", "dynamic_batching")}
seen["load_unknown"] = message(lambda: client.load_model("nope"))
seen["load_files"] = message(lambda: client.load_model("sum", config="{}", files={"file:1/model.onnx": b"x"}))

# Statistics.
statistics = client.get_inference_statistics("FP32", "1")["model_stats"][0]
seen["statistics"] = [statistics["name"], statistics["version"], statistics["inference_stats"]["success"]["count"] > 0, statistics["inference_count"] > 0]
seen["all_statistics"] = len(client.get_inference_statistics()["model_stats"]) > 3

# Trace and log settings.
seen["trace"] = client.update_trace_settings(settings={"trace_level": ["TIMESTAMPS"], "trace_rate": "1"})["trace_level"]
seen["model_trace"] = client.update_trace_settings("sum", settings={"trace_level": None, "trace_rate": "3"})["trace_rate"]
seen["trace_now"] = client.get_trace_settings("sum")["trace_rate"]
client.update_trace_settings("sum", settings={})
seen["trace_off"] = client.update_trace_settings(settings={"trace_level": ["OFF"], "trace_rate": None})["trace_level"]
seen["log"] = client.update_log_settings({"log_verbose_level": 1})["log_verbose_level"]
seen["log_now"] = client.get_log_settings()
seen["cuda"] = [client.get_cuda_shared_memory_status(), message(lambda: client.register_cuda_shared_memory("r", b"AAAA", 0, 8))]
print(json.dumps(seen))
