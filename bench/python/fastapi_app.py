"""What a team writes by hand to serve an ONNX model: FastAPI, a pydantic model of the body, one session.

Takes and gives the same JSON as the MLflow scoring protocol, so that every server gets the same bytes:
POST /invocations {"inputs": [[…12 floats…], …]} -> {"predictions": {"label": […], "probabilities": [[…], …]}}.
The handler is async and runs the model inline: for a model of some 20 µs that is faster than FastAPI's thread pool.
"""

import os

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
width = session.get_inputs()[0].shape[1]

app = FastAPI()


class Request(BaseModel):
    inputs: list[list[float]]


class Predictions(BaseModel):
    label: list[int]
    probabilities: list[list[float]]


class Response(BaseModel):
    predictions: Predictions


@app.get("/health")
async def health() -> str:
    return "OK"


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    try:
        x = np.asarray(request.inputs, dtype=np.float32)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    if x.ndim != 2 or x.shape[1] != width:
        raise HTTPException(422, f"expected rows of {width} numbers")
    label, probabilities = session.run(None, {"X": x})
    return Response(predictions=Predictions(label=label.tolist(), probabilities=probabilities.tolist()))
