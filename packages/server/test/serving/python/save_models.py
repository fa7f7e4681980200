"""Saves MLflow models that no ONNX graph stands for, below the folder given."""

import pathlib
import sys

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
from sklearn.linear_model import LinearRegression

root = pathlib.Path(sys.argv[1])

table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 7.0]})
linear = LinearRegression().fit(table, [3.0, 6.0, 10.0])
mlflow.sklearn.save_model(
    linear, root / "linear", signature=infer_signature(table, linear.predict(table)), input_example=table.head(1), serialization_format="cloudpickle"
)


class Greeter(mlflow.pyfunc.PythonModel):
    """Strings in, strings out; ends its process or takes memory when it is told to."""

    def predict(self, context, model_input, params=None):
        import os

        name = model_input["name"].iloc[0]
        if name == "end":
            print("the end is near", file=__import__("sys").stderr, flush=True)
            os._exit(5)
        if name == "grow":
            self.held = bytearray(b"x") * (900 * 2**20)
        if name == "secret":
            return [",".join(sorted(os.environ))]
        return [f"{(params or {}).get('greeting', 'hello')} {name} {times}" for name, times in zip(model_input["name"], model_input["times"])]


mlflow.pyfunc.save_model(
    root / "greeter",
    python_model=Greeter(),
    signature=ModelSignature(
        inputs=Schema([ColSpec("string", "name"), ColSpec("long", "times")]),
        outputs=Schema([ColSpec("string", "greeting")]),
        params=ParamSchema([ParamSpec("greeting", "string", "hello")]),
    ),
)

# A team's own server, with a package that says only how it is started.
app = root / "app"
app.mkdir()
(app / "MLmodel").write_text(
    """flavors:
  python_function: {loader_module: nothing}
metadata:
  binnacle.protocol: open-inference
  binnacle.command: "{python} -m uvicorn --app-dir {model} app:app --host {host} --port {port}"
signature:
  inputs: '[{"type": "tensor", "name": "x", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]'
  outputs: '[{"type": "tensor", "name": "y", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]'
"""
)
(app / "app.py").write_text(
    '''from fastapi import FastAPI, Request

app = FastAPI()
SPEC = lambda name: {"name": name, "datatype": "FP32", "shape": [-1, 2]}


@app.get("/v2/health/ready")
@app.get("/v2/health/live")
@app.get("/v2/models/{name}/ready")
def ready(): return {"ready": True}


@app.get("/v2")
def server(): return {"name": "own", "version": "1", "extensions": []}


@app.get("/v2/models/{name}")
def metadata(name: str): return {"name": name, "versions": ["1"], "platform": "own", "inputs": [SPEC("x")], "outputs": [SPEC("y")]}


@app.post("/v2/models/{name}/infer")
async def infer(name: str, request: Request):
    x = (await request.json())["inputs"][0]
    flat = [v for row in x["data"] for v in (row if isinstance(row, list) else [row])]
    return {"model_name": name, "model_version": "1", "outputs": [{"name": "y", "datatype": "FP32", "shape": x["shape"], "data": [2 * v for v in flat]}]}
'''
)
