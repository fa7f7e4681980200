"""Drives a server with the unmodified tritonclient.http.aio; prints one JSON object of what it saw."""

import asyncio
import json
import sys

import numpy as np
import tritonclient.http.aio as triton


async def main():
    seen = {}
    async with triton.InferenceServerClient(sys.argv[1]) as client:
        seen["live"] = [await client.is_server_live(), await client.is_server_ready(), await client.is_model_ready("sum")]
        seen["metadata"] = (await client.get_model_metadata("sum"))["platform"]
        seen["config"] = (await client.get_model_config("sum"))["backend"]
        seen["index"] = any(one["name"] == "sum" for one in await client.get_model_repository_index())

        async def ask(i, **kwargs):
            given = triton.InferInput("x", [1, 2], "FP32")
            given.set_data_from_numpy(np.array([[i, 1]], dtype=np.float32), binary_data=i % 2 == 0)
            wanted = triton.InferRequestedOutput("y", binary_data=i % 3 == 0)
            return (await client.infer("sum", [given], outputs=[wanted], request_id=str(i), **kwargs)).as_numpy("y").item()

        seen["many"] = await asyncio.gather(*[ask(i) for i in range(64)]) == [i + 1 for i in range(64)]
        seen["packed"] = [await ask(3, request_compression_algorithm=a, response_compression_algorithm=a) for a in ("gzip", "deflate")]
        seen["statistics"] = (await client.get_inference_statistics("sum"))["model_stats"][0]["name"]
        await client.unload_model("sum")
        seen["unloaded"] = await client.is_model_ready("sum")
        await client.load_model("sum")
        seen["again"] = await ask(41)
    print(json.dumps(seen))


asyncio.run(main())
