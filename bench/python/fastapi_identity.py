"""A large tensor through FastAPI as one writes it: a pydantic model of the body, numpy, one session, lists back."""

import os

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


class Request(BaseModel):
    inputs: list[list[float]]


class Response(BaseModel):
    predictions: list[list[float]]


@app.get("/health")
async def health() -> str:
    return "OK"


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    (y,) = session.run(None, {"X": np.asarray(request.inputs, dtype=np.float32)})
    return Response(predictions=y.tolist())
