"""Runs ONNX's backend tests (onnx.backend.test) through a server, and beside it through ONNX Runtime itself.

usage: backend_tests.py CONTROL_URL HTTP GRPC [PATTERN]

CONTROL_URL takes POST /deploy {"name", "file"} and POST /undeploy {"name"}; HTTP and GRPC are the addresses of Open Inference, asked by Triton's
own clients. Prints the versions, and `outcomes`, a list of {"name", "kind", "runtime", "served"}: null where it passed, else the reason; `served` maps the way asked to it.
"""

import glob
import json
import multiprocessing
import os
import re
import sys
import tempfile
import threading
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

warnings.filterwarnings("ignore")
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator", "real")
AT_ONCE = 4


class Case:
    def __init__(self, test, folder):
        self.name, self.kind, self.rtol, self.atol = test.name, test.kind, test.rtol, test.atol
        self.inputs = self.sets = None
        self.problem = None
        self.test = test
        self.file = os.path.join(folder, self.name, "model.onnx")

    def prepare(self):
        """The model as a file, its data as arrays (lists and None are sequences and absent optionals)."""
        test = self.test
        os.makedirs(os.path.dirname(self.file), exist_ok=True)
        if test.model is not None:
            model = test.model
            self.sets = [([array_of(v) for v in i], [array_of(v) for v in o]) for i, o in test.data_sets]
        elif test.model_dir is not None:
            model = onnx.load(os.path.join(test.model_dir, "model.onnx"))
            self.sets = [self.read(model, d) for d in sorted(glob.glob(os.path.join(test.model_dir, "test_data_set*")))]
        else:
            path = os.path.normpath(os.path.join(os.path.dirname(onnx.__file__), "..", test.url))
            model = onnx.load(path)
            weights = {i.name for i in model.graph.initializer}
            feeds = [Runner.generate_dummy_data(v, seed=0, name=test.model_name, random=False) for v in model.graph.input if v.name not in weights]
            outputs = [self.tensor(f"{os.path.splitext(path)[0]}_output_{i}.pb") for i in range(len(model.graph.output))]
            self.sets = [(feeds, outputs)]
        onnx.save(model, self.file)
        weights = {i.name for i in model.graph.initializer}
        self.inputs = [v.name for v in model.graph.input]
        if all(len(i) < len(self.inputs) for i, _ in self.sets):
            self.inputs = [n for n in self.inputs if n not in weights]
        self.outputs = [v.name for v in model.graph.output]

    @staticmethod
    def tensor(path):
        proto = onnx.TensorProto()
        with open(path, "rb") as f:
            proto.ParseFromString(f.read())
        return numpy_helper.to_array(proto)

    def read(self, model, folder):
        def one(path, info):
            kind = info.type.WhichOneof("value")
            with open(path, "rb") as f:
                data = f.read()
            if kind == "sequence_type":
                return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
            if kind == "optional_type":
                return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
            return numpy_helper.to_array(onnx.TensorProto.FromString(data))

        def all_of(what, infos):
            count = len(glob.glob(os.path.join(folder, f"{what}_*.pb")))
            return [one(os.path.join(folder, f"{what}_{i}.pb"), infos[i]) for i in range(count)]

        return all_of("input", model.graph.input), all_of("output", model.graph.output)

    def check(self, expected, got):
        Runner.assert_similar_outputs(expected, got, rtol=self.rtol, atol=self.atol)


def array_of(value):
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.generic) else value


def first_line(error):
    # The folder is another in each run.
    return re.sub(r"/\S*binnacle-onnx-backend-\w+/", "", (str(error).strip().splitlines() or [type(error).__name__])[0])[:1000]


# --- ONNX Runtime itself, in processes that may crash -----------------------------------------------------------------------------


def run_directly(case):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(case.file, options, ["CPUExecutionProvider"])
    known = {i.name for i in session.get_inputs()}
    for inputs, outputs in case.sets:
        feeds = {n: v for n, v in zip(case.inputs, inputs) if n in known}
        case.check(outputs, session.run(None, feeds))


def direct_worker(cases, pipe):
    while True:
        index = pipe.recv()
        try:
            run_directly(cases[index])
            pipe.send(None)
        except BaseException as error:
            pipe.send(first_line(error))


def truth(cases):
    context = multiprocessing.get_context("fork")
    results = {}
    lock, left = threading.Lock(), iter(range(len(cases)))

    def drive():
        pipe = process = None
        while True:
            with lock:
                index = next(left, None)
            if index is None:
                break
            if process is None:
                pipe, other = context.Pipe()
                process = context.Process(target=direct_worker, args=(cases, other), daemon=True)
                process.start()
                other.close()
            pipe.send(index)
            try:
                results[index] = pipe.recv() if pipe.poll(60) else "takes more than 60 s"
            except EOFError:
                results[index] = "crashes"
            if results[index] in ("crashes", "takes more than 60 s"):
                process.kill()
                process = None
        if process is not None:
            process.kill()

    threads = [threading.Thread(target=drive) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return [results[i] for i in range(len(cases))]


# --- through the server ---------------------------------------------------------------------------------------------------------

TRITON = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64", "int8": "INT8", "int16": "INT16",
    "int32": "INT32", "int64": "INT64", "float16": "FP16", "float32": "FP32", "float64": "FP64", "object": "BYTES",
}  # fmt: skip


class Unsayable(Exception):
    """This way of asking has no form for the values."""


def datatype(array):
    if array.dtype.kind in "US":
        return "BYTES"
    name = TRITON.get(array.dtype.name)
    if name is None:
        raise Unsayable(f"Open Inference has no datatype {array.dtype.name}")
    return name


def plain(values):
    for value in values:
        if not isinstance(value, np.ndarray):
            value = np.asarray(value) if np.isscalar(value) or isinstance(value, np.generic) else value
        if not isinstance(value, np.ndarray):
            raise Unsayable("Open Inference has no sequences, maps and optionals")
        yield value


def words(array):
    """Strings as the clients want them; ONNX's cases hold str, numpy's strings or bytes."""
    return np.array([v if isinstance(v, bytes) else str(v).encode() for v in array.flat], dtype=object).reshape(array.shape)


class Way:
    def __init__(self, address, module, binary):
        self.address, self.module, self.binary = address, module, binary
        self.local = threading.local()

    def client(self):
        if not hasattr(self.local, "client"):
            self.local.client = self.module.InferenceServerClient(self.address, **({} if self.binary is None else {"network_timeout": 120.0, "connection_timeout": 120.0}))
        return self.local.client

    def ask(self, case, inputs, expected):
        sent = []
        for name, array in zip(case.inputs, plain(inputs)):
            kind = datatype(array)
            if self.binary is False and (kind == "FP16" or (array.dtype.kind == "f" and not np.isfinite(array).all())):
                raise Unsayable("JSON has no form for it")
            tensor = self.module.InferInput(name, list(array.shape), kind)
            array = words(array) if kind == "BYTES" else np.ascontiguousarray(array).reshape(array.shape)
            tensor.set_data_from_numpy(array, **({} if self.binary is None else {"binary_data": self.binary}))
            sent.append(tensor)
        wanted = []
        for name, array in zip(case.outputs, plain(expected)):
            kind = datatype(array)
            if self.binary is False and (kind == "FP16" or (array.dtype.kind == "f" and not np.isfinite(array).all())):
                raise Unsayable("JSON has no form for it")
            wanted.append(self.module.InferRequestedOutput(name, **({} if self.binary is None else {"binary_data": self.binary})))
        reply = self.client().infer(case.name, sent, outputs=wanted)
        got = []
        for name, array in zip(case.outputs, plain(expected)):
            value = reply.as_numpy(name)
            if value is None:
                raise AssertionError(f"no output {name}")
            if value.dtype == object:
                value = np.array([v.decode() if isinstance(v, bytes) else v for v in value.flat], dtype=object).reshape(value.shape)
            got.append(value)
        case.check([words_back(a) for a in plain(expected)], got)


def words_back(array):
    if array.dtype.kind not in "USO":
        return array
    return np.array([v.decode() if isinstance(v, bytes) else str(v) for v in array.flat], dtype=object).reshape(array.shape)


def control(base, path, body):
    request = urllib.request.Request(base + path, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        return json.loads(reply.read())


def main():
    base, http, grpc = sys.argv[1:4]
    pattern = re.compile(sys.argv[4] if len(sys.argv) > 4 else "")
    folder = tempfile.mkdtemp(prefix="binnacle-onnx-backend-")
    cases = [Case(test, folder) for kind in KINDS for test in load_model_tests(kind=kind) if pattern.search(test.name)]
    for case in cases:
        try:
            case.prepare()
        except Exception as error:
            case.problem = f"cannot be prepared: {first_line(error)}"
    cases = [case for case in cases if case.problem is None] + [case for case in cases if case.problem is not None]
    ready = [case for case in cases if case.problem is None]
    verdicts = truth(ready) + [case.problem for case in cases if case.problem is not None]
    # Before the clients are loaded: a fork after gRPC has started its threads would hang.
    import tritonclient.grpc
    import tritonclient.http

    ways = {
        "REST, JSON": Way(http, tritonclient.http, False),
        "REST, binary": Way(http, tritonclient.http, True),
        "gRPC": Way(grpc, tritonclient.grpc, None),
    }

    def served(case):
        seen = {}
        reply = control(base, "/deploy", {"name": case.name, "file": case.file})
        if reply["error"] is not None:
            return {way: reply["error"] for way in ways}
        for name, way in ways.items():
            try:
                for inputs, outputs in case.sets:
                    way.ask(case, inputs, outputs)
                seen[name] = None
            except Unsayable as error:
                seen[name] = f"- {error}"
            except Exception as error:
                seen[name] = first_line(error)
        control(base, "/undeploy", {"name": case.name})
        return seen

    chosen = [case for case, verdict in zip(cases, verdicts) if verdict is None]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = dict(zip((case.name for case in chosen), pool.map(served, chosen)))
    import onnxruntime

    outcomes = [{"name": c.name, "kind": c.kind, "runtime": v, "served": replies.get(c.name)} for c, v in zip(cases, verdicts)]
    print(json.dumps({"versions": f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}", "outcomes": outcomes}))


main()
