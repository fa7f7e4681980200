"""Drives a server with tritonclient.grpc.aio and with bare grpcio; prints one JSON object of what it saw."""

import asyncio
import json
import sys

import grpc
import numpy as np
import tritonclient.grpc as sync
import tritonclient.grpc.aio as triton
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.utils import InferenceServerException

url, guarded, token = sys.argv[1:4]
seen = {}
x = np.array([[1, 2], [3, 4]], dtype=np.float32)


def tensors(array, datatype="FP32"):
    tensor = sync.InferInput("x", list(array.shape), datatype)
    tensor.set_data_from_numpy(array)
    return [tensor]


async def main():
    async with triton.InferenceServerClient(url) as client:
        seen["aio"] = (await client.infer("sum", tensors(x))).as_numpy("y").ravel().tolist()
        many = await asyncio.gather(*(client.infer("sum", tensors(np.array([[i, 1]], np.float32))) for i in range(100)))
        seen["together"] = [int(m.as_numpy("y")[0, 0]) for m in many] == [i + 1 for i in range(100)]

        async def requests():
            for i in range(3):
                yield {"model_name": "sum", "inputs": tensors(np.array([[i, i + 1]], np.float32))}

        seen["stream"] = []
        async for result, error in client.stream_infer(requests()):
            seen["stream"].append(result.as_numpy("y").ravel().tolist() if error is None else error.message())

        async def endless():
            while True:
                yield {"model_name": "sum", "inputs": tensors(x)}
                await asyncio.sleep(0.01)

        stream = client.stream_infer(endless())
        await stream.__anext__()
        stream.cancel()
        try:
            async for _ in stream:
                pass
            seen["stream_cancelled"] = False
        except asyncio.CancelledError:
            seen["stream_cancelled"] = True


asyncio.run(main())

client = sync.InferenceServerClient(guarded)
seen["live_without"] = client.is_server_live()
try:
    client.infer("sum", tensors(x))
    seen["refused"] = "no"
except InferenceServerException as error:
    seen["refused"] = f"{error.status()} {error.message()}"
seen["admitted"] = client.infer("sum", tensors(x), headers={"authorization": f"Bearer {token}"}).as_numpy("y").ravel().tolist()

channel = grpc.insecure_channel(url)
stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
CONTENTS = {
    "BOOL": ("bool_contents", [True, False], np.bool_),
    "INT8": ("int_contents", [-128, 127], np.int8),
    "INT16": ("int_contents", [-32768, 32767], np.int16),
    "INT32": ("int_contents", [-(2**31), 2**31 - 1], np.int32),
    "INT64": ("int64_contents", [-(2**63), 2**63 - 1], np.int64),
    "UINT8": ("uint_contents", [0, 255], np.uint8),
    "UINT16": ("uint_contents", [0, 65535], np.uint16),
    "UINT32": ("uint_contents", [0, 2**32 - 1], np.uint32),
    "UINT64": ("uint64_contents", [0, 2**64 - 1], np.uint64),
    "FP32": ("fp32_contents", [1.5, -2.0], np.float32),
    "FP64": ("fp64_contents", [1e-300, -1e300], np.float64),
    "BYTES": ("bytes_contents", ["größe".encode(), b""], None),
}


def typed(datatype, field, values):
    request = pb.ModelInferRequest(model_name=datatype)
    tensor = request.inputs.add(name="x", datatype=datatype, shape=[1, 2])
    getattr(tensor.contents, field).extend(values)
    return stub.ModelInfer(request)


seen["typed"] = {}
for datatype, (field, values, dtype) in CONTENTS.items():
    raw = typed(datatype, field, values).raw_output_contents[0]
    if dtype is None:
        seen["typed"][datatype] = raw == b"".join(len(v).to_bytes(4, "little") + v for v in values)
    else:
        seen["typed"][datatype] = np.frombuffer(raw, dtype).tolist() == values
try:
    typed("FP16", "fp32_contents", [1.0, 2.0])
except grpc.RpcError as error:
    seen["typed_fp16"] = error.details()

# The health service by its bytes, so that no package of it is needed.
check = channel.unary_unary("/grpc.health.v1.Health/Check", lambda name: (b"\n" + bytes([len(name)]) + name.encode()) if name else b"", lambda reply: reply[1])
seen["health"] = {name: check(name) for name in ("", "sum", "inference.GRPCInferenceService")}
try:
    check("nope")
except grpc.RpcError as error:
    seen["health_unknown"] = str(error.code())
watch = channel.unary_stream("/grpc.health.v1.Health/Watch", lambda name: b"", lambda reply: reply[1])("")
seen["watched"] = next(watch)
watch.cancel()
try:
    channel.unary_unary("/inference.GRPCInferenceService/Nothing")(b"")
except grpc.RpcError as error:
    seen["missing"] = str(error.code())
print(json.dumps(seen))
