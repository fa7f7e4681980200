"""Drives a server's control methods with the unmodified tritonclient.grpc; prints one JSON object of what it saw."""

import json
import sys

import numpy as np
import tritonclient.grpc as triton
import tritonclient.utils.shared_memory as shm
from tritonclient.utils import InferenceServerException, serialize_byte_tensor, serialized_byte_size

client = triton.InferenceServerClient(sys.argv[1], keepalive_options=triton.KeepAliveOptions(keepalive_time_ms=1000, keepalive_permit_without_calls=True))
seen = {}
seen["extensions"] = client.get_server_metadata().extensions[:]


def message(call):
    try:
        call()
        return "no error"
    except InferenceServerException as error:
        return f"{error.status()} {error.message()}"


def tensor(name, array, datatype="FP32"):
    made = triton.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array)
    return made


x = np.array([[1, 2], [3, 4]], dtype=np.float32)
config = client.get_model_config("sum").config
seen["config"] = [config.name, config.platform, [(i.name, i.data_type, i.dims[:]) for i in config.input], config.instance_group[0].kind]
client.infer("sum", [tensor("x", x)])
statistics = client.get_inference_statistics("sum").model_stats[0]
seen["statistics"] = [statistics.name, statistics.version, statistics.inference_count, statistics.inference_stats.success.count]

best = client.infer("FP32", [tensor("x", np.array([[0.5, 2.5]], np.float32))], outputs=[triton.InferRequestedOutput("y", class_count=2)])
seen["classes"] = [v.decode().split(":")[1] for v in best.as_numpy("y").ravel()]

seen["index"] = sorted(m.name for m in client.get_model_repository_index().models if m.state == "READY")[:1]
client.unload_model("sum")
seen["unloaded"] = client.is_model_ready("sum")
client.load_model("sum", config='{"max_batch_size": "16"}')
seen["loaded"] = [client.is_model_ready("sum"), client.get_model_config("sum").config.max_batch_size]
seen["wrong_config"] = message(lambda: client.load_model("sum", config='"parameters": {{}'))
seen["wrong_model"] = message(lambda: client.load_model("wrong_model_name"))

# System shared memory, numbers and strings.
size = x.nbytes
handle = shm.create_shared_memory_region("data", "/binnacle_grpc_test", size + 64)
try:
    shm.set_shared_memory_region(handle, [x])
    client.register_system_shared_memory("data", "/binnacle_grpc_test", size + 64)
    seen["regions"] = {k: [v.key, v.offset, v.byte_size] for k, v in client.get_system_shared_memory_status().regions.items()}
    given = triton.InferInput("x", [2, 2], "FP32")
    given.set_shared_memory("data", size)
    wanted = triton.InferRequestedOutput("y")
    wanted.set_shared_memory("data", 8, offset=size)
    reply = client.infer("sum", [given], outputs=[wanted])
    seen["in_memory"] = [reply.get_output("y").parameters["shared_memory_region"].string_param, shm.get_contents_as_numpy(handle, np.float32, [2, 1], offset=size).ravel().tolist()]
    words = np.array([["größe".encode(), b"x"]], dtype=np.object_)
    packed = serialize_byte_tensor(words)
    shm.set_shared_memory_region(handle, [packed])
    given = triton.InferInput("x", [1, 2], "BYTES")
    given.set_shared_memory("data", serialized_byte_size(packed))
    seen["words"] = [w.decode() for w in client.infer("BYTES", [given]).as_numpy("y").ravel()]
    seen["registered_twice"] = message(lambda: client.register_system_shared_memory("data", "/binnacle_grpc_test", size))
    client.unregister_system_shared_memory()
    seen["regions_after"] = len(client.get_system_shared_memory_status().regions)
finally:
    shm.destroy_shared_memory_region(handle)
seen["cuda"] = message(lambda: client.register_cuda_shared_memory("g", b"", 0, 8))

seen["trace"] = client.update_trace_settings(settings={"trace_rate": "7", "trace_level": ["TIMESTAMPS"]}, as_json=True)["settings"]["trace_rate"]
client.update_trace_settings(settings={"trace_level": ["OFF"], "trace_rate": None})
seen["trace_back"] = client.get_trace_settings(as_json=True)["settings"]["trace_rate"]
seen["log"] = client.update_log_settings({"log_verbose_level": 1}, as_json=True)["settings"]["log_verbose_level"]
seen["timeout"] = client.infer("sum", [tensor("x", x)], priority=1, timeout=10_000_000, parameters={"mine": "x"}).as_numpy("y").ravel().tolist()
print(json.dumps(seen))
