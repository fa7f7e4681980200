"""What an unmodified tensorflow-serving-api sees of a server: predict, classify, regress, several at once, metadata, status, errors."""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

channel = grpc.insecure_channel(sys.argv[1], options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)
seen = {}


def predict(model, version=None, label=None, signature="", outputs=(), compression=None, timeout=30, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(value if isinstance(value, TensorProto) else tf.make_tensor_proto(value))
    request.output_filter.extend(outputs)
    return stub.Predict(request, timeout=timeout, compression=compression)


def arrays(response):
    return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}


def lists(response):
    return {name: array.tolist() for name, array in arrays(response).items()}


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
    return None


def example(**features):
    kinds = {float: "float_list", int: "int64_list", bytes: "bytes_list"}
    out = tf.train.Example()
    for name, values in features.items():
        getattr(out.features.feature[name], kinds[type(values[0])]).value.extend(values)
    return out


one = np.float32([[1, 2]])
response = predict("sum", x=one)
seen["sum"] = lists(response)
seen["spec"] = [response.model_spec.name, response.model_spec.version.value, response.model_spec.signature_name]
# Clients in many languages read the typed field.
seen["float_val"] = list(response.outputs["y"].float_val)
seen["pinned"] = [lists(predict("many", x=np.float32([[1]]), **how))["y"] for how in ({}, {"version": 2}, {"label": "canary"}, {"version": 1})]
seen["filtered"] = lists(predict("two", a=np.float32([[1]]), b=np.float32([[2]]), outputs=["again"]))
seen["gzip"] = lists(predict("sum", x=one, compression=grpc.Compression.Gzip))

TYPES = {
    "BOOL": ("bool", [[True, False]]),
    "UINT8": ("uint8", [[0, 255]]),
    "UINT16": ("uint16", [[0, 65535]]),
    "UINT32": ("uint32", [[0, 2**32 - 1]]),
    "UINT64": ("uint64", [[0, 2**64 - 1]]),
    "INT8": ("int8", [[-128, 127]]),
    "INT16": ("int16", [[-(2**15), 2**15 - 1]]),
    "INT32": ("int32", [[-(2**31), 2**31 - 1]]),
    "INT64": ("int64", [[-(2**63), 2**63 - 1]]),
    "FP16": ("float16", [[0.1, -65504.0]]),
    "FP32": ("float32", [[0.1, float("nan")]]),
    "FP64": ("float64", [[0.1, float("-inf")]]),
}


def typed(array):
    """The same tensor in the typed fields instead of tensor_content."""
    proto = tf.make_tensor_proto(array)
    proto.ClearField("tensor_content")
    flat = array.flatten()
    kind = array.dtype.name
    if kind == "float16":
        proto.half_val.extend(flat.view(np.uint16).tolist())
    else:
        field = {"float32": "float_val", "float64": "double_val", "bool": "bool_val", "int64": "int64_val", "uint64": "uint64_val", "uint32": "uint32_val"}.get(kind, "int_val")
        getattr(proto, field).extend(flat.tolist())
    return proto


seen["types"] = {}
for name, (dtype, values) in TYPES.items():
    array = np.array(values, dtype=dtype)
    for proto in (tf.make_tensor_proto(array), typed(array)):
        back = arrays(predict(name, x=proto))["y"]
        seen["types"][name] = seen["types"].get(name, True) and back.dtype == array.dtype and np.array_equal(back, array, equal_nan=dtype.startswith("float"))
texts = np.array([["héllo".encode(), b""]], dtype=object)
seen["strings"] = arrays(predict("BYTES", x=texts))["y"].tolist() == texts.tolist()

splat = tf.make_tensor_proto(np.float32(7), shape=[3, 2])
seen["splat"] = [len(splat.float_val), lists(predict("FP32", x=splat))["y"]]
large = np.arange(150_000, dtype=np.float32).reshape(-1, 2)
seen["large"] = bool(np.array_equal(arrays(predict("FP32", x=large))["y"], large))

request = classification_pb2.ClassificationRequest()
request.model_spec.name = "classifier"
request.input.example_list.examples.extend([example(x=[1.0, 0.0]), example(x=[0.5, 0.5])])
result = stub.Classify(request, timeout=30)
seen["classify"] = [[[c.label, round(c.score, 3)] for c in row.classes] for row in result.result.classifications]
seen["classify_spec"] = [result.model_spec.name, result.model_spec.version.value, result.model_spec.signature_name]

request = regression_pb2.RegressionRequest()
request.model_spec.name = "sum"
request.input.example_list_with_context.context.CopyFrom(example(x=[5.0, 5.0]))
request.input.example_list_with_context.examples.extend([example(x=[1.0, 2.0]), tf.train.Example()])
seen["regress"] = [r.value for r in stub.Regress(request, timeout=30).result.regressions]
request = regression_pb2.RegressionRequest()
request.model_spec.name = "table"
request.input.example_list.examples.extend([example(a=[1], b=[2.5])])
seen["regress_table"] = [r.value for r in stub.Regress(request, timeout=30).result.regressions]

request = inference_pb2.MultiInferenceRequest()
for signature, method in (("classification", "classify"), ("regression", "regress")):
    task = request.tasks.add()
    task.model_spec.name = "both"
    task.model_spec.signature_name = signature
    task.method_name = f"tensorflow/serving/{method}"
request.input.example_list.examples.append(example(x=[2.0, 0.0]))
first, second = stub.MultiInference(request, timeout=30).results
seen["multi"] = [
    [first.model_spec.signature_name, [c.label for c in first.classification_result.classifications[0].classes]],
    [second.model_spec.signature_name, [r.value for r in second.regression_result.regressions]],
]
request.tasks[1].model_spec.signature_name = "classification"
seen["multi_twice"] = failure(lambda: stub.MultiInference(request, timeout=30))

request = get_model_metadata_pb2.GetModelMetadataRequest()
request.model_spec.name = "two"
request.metadata_field.append("signature_def")
metadata = stub.GetModelMetadata(request, timeout=30)
signatures = get_model_metadata_pb2.SignatureDefMap()
assert metadata.metadata["signature_def"].Unpack(signatures)
default = signatures.signature_def["serving_default"]
seen["metadata"] = {
    "version": metadata.model_spec.version.value,
    "method": default.method_name,
    "inputs": {name: [info.name, tf.as_dtype(info.dtype).name, [d.size for d in info.tensor_shape.dim]] for name, info in default.inputs.items()},
    "outputs": sorted(default.outputs),
}
request.metadata_field[0] = "other"
seen["metadata_field"] = failure(lambda: stub.GetModelMetadata(request, timeout=30))

request = get_model_status_pb2.GetModelStatusRequest()
request.model_spec.name = "many"
State = get_model_status_pb2.ModelVersionStatus.State
seen["status"] = [[s.version, State.Name(s.state), s.status.error_code] for s in models.GetModelStatus(request, timeout=30).model_version_status]
request.model_spec.name = "nobody"
seen["status_unknown"] = failure(lambda: models.GetModelStatus(request, timeout=30))
reload = model_management_pb2.ReloadConfigRequest()
reload.config.model_config_list.config.add(name="m", base_path="/models/m", model_platform="tensorflow")
seen["reload"] = failure(lambda: models.HandleReloadConfigRequest(reload, timeout=30))

seen["errors"] = {
    "unknown": failure(lambda: predict("nobody", x=one)),
    "version": failure(lambda: predict("sum", version=9, x=one)),
    "label": failure(lambda: predict("sum", label="none", x=one)),
    "signature": failure(lambda: predict("sum", signature="other", x=one)),
    "missing": failure(lambda: predict("two", a=one)),
    "other": failure(lambda: predict("sum", z=one)),
    "output": failure(lambda: predict("sum", x=one, outputs=["z"])),
    "dtype": failure(lambda: predict("sum", x=tf.make_tensor_proto([[1 + 2j]]))),
    "datatype": failure(lambda: predict("sum", x=np.float64([[1, 2]]))),
    "splat": failure(lambda: predict("sum", x=TensorProto(dtype=1, tensor_shape=tf.TensorShape([2**30, 2]).as_proto(), float_val=[1]))),
    "empty": failure(lambda: stub.Classify(classification_pb2.ClassificationRequest(model_spec={"name": "classifier"}), timeout=30)),
    "spec": failure(lambda: stub.Classify(classification_pb2.ClassificationRequest(), timeout=30)),
}
print(json.dumps(seen))
