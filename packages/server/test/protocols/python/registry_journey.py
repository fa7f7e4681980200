"""What a user of the mlflow client does with models, artifacts and the registry. Asserts; prints one line a step."""

import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["GIT_PYTHON_REFRESH"] = "quiet"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"

import mlflow
import numpy as np
import onnx
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
rng = np.random.default_rng(1)
X = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
y = (X["a"] + X["b"] > 0).astype(int)
model = LogisticRegression().fit(X, y)
onnx_model = to_onnx(model, X[:1].astype(np.float32).to_numpy())
signature = infer_signature(X, model.predict_proba(X).astype(np.float32))


def step(name):
    print(f"ok {name}", flush=True)


def refused(code, text, call):
    try:
        call()
    except (MlflowException, RestException) as error:
        assert error.error_code == code, (error.error_code, str(error))
        assert text in str(error), str(error)
        return
    raise AssertionError(f"not refused: {code} {text}")


mlflow.set_experiment("registry-journey")

# --- models of several flavours, logged, registered, loaded back
with mlflow.start_run(run_name="first") as run:
    mlflow.log_metric("auc", 0.8)
    logged = mlflow.onnx.log_model(onnx_model, name="net", signature=signature, input_example=X[:2], registered_model_name="journey")
    sk = mlflow.sklearn.log_model(model, name="sk", signature=signature, serialization_format="cloudpickle")
version = client.get_model_version("journey", "1")
assert version.status == "READY" and version.run_id == run.info.run_id, version
assert mlflow.get_logged_model(logged.model_id).tags.get("mlflow.modelVersions"), "no modelVersions tag"
step("log_model with registered_model_name")

for uri in (logged.model_uri, "models:/journey/1", f"runs:/{run.info.run_id}/net"):
    loaded = mlflow.onnx.load_model(uri)
    assert isinstance(loaded, onnx.ModelProto) and loaded.SerializeToString() == onnx_model.SerializeToString(), uri
step("mlflow.onnx.load_model by model, version and run")
prediction = mlflow.pyfunc.load_model("models:/journey/1").predict(X[:5])
assert len(prediction) > 0
step("mlflow.pyfunc.load_model")

second = mlflow.register_model(f"runs:/{run.info.run_id}/sk", "journey", tags={"kind": "sklearn"})
assert second.version in (2, "2") and client.get_model_version("journey", "2").tags == {"kind": "sklearn"}
assert (mlflow.sklearn.load_model("models:/journey/2").predict(X) == model.predict(X)).all()
third = mlflow.register_model(sk.model_uri, "journey")
step("mlflow.register_model of runs:/ and models:/, mlflow.sklearn.load_model")

# --- aliases
client.set_registered_model_alias("journey", "champion", "1")
client.set_registered_model_alias("journey", "champion", 1)
assert client.get_model_version_by_alias("journey", "champion").version in (1, "1")
assert client.get_registered_model("journey").aliases == {"champion": "1"} or client.get_registered_model("journey").aliases == {"champion": 1}
mlflow.onnx.load_model("models:/journey@champion")
client.delete_registered_model_alias("journey", "champion")
refused("INVALID_PARAMETER_VALUE", "Registered model alias champion not found", lambda: client.get_model_version_by_alias("journey", "champion"))
refused("INVALID_PARAMETER_VALUE", "reserved", lambda: client.set_registered_model_alias("journey", "latest", "1"))
step("aliases")

# --- search
assert {int(v.version) for v in client.search_model_versions("name='journey'")} == {1, 2, 3}
assert [int(v.version) for v in client.search_model_versions("name='journey' and version_number >= 2", order_by=["version_number ASC"])] == [2, 3]
assert [int(v.version) for v in client.search_model_versions("tags.kind = 'sklearn'")] == [2]
page = client.search_model_versions("name='journey'", max_results=2)
rest = client.search_model_versions("name='journey'", max_results=2, page_token=page.token)
assert len(page) == 2 and len(rest) == 1 and not rest.token
assert [m.name for m in client.search_registered_models("name LIKE 'jour%'")] == ["journey"]
assert {int(v.version) for v in mlflow.search_model_versions(filter_string=f"run_id = '{run.info.run_id}'")} == {1, 2, 3}
step("search_model_versions and search_registered_models")

# --- versions without files, stages, descriptions, tags, renames, copies, deletes
client.create_registered_model("bare", tags={"t": "1"}, description="no files")
client.create_model_version("bare", source="s3://elsewhere/model")
client.set_registered_model_alias("bare", "champion", "1")
client.update_registered_model("bare", description="still none")
client.set_model_version_tag("bare", "1", "k", "v" * 1000)
client.update_model_version("bare", "1", description="d")
assert client.transition_model_version_stage("bare", "1", "Staging").current_stage == "Staging"
assert [v.current_stage for v in client.get_latest_versions("bare", stages=["Staging"])] == ["Staging"]
client.rename_registered_model("bare", "bare2")
assert client.get_model_version("bare2", "1").tags == {"k": "v" * 1000}
client.delete_model_version_tag("bare2", "1", "k")
client.delete_model_version("bare2", "1")
refused("RESOURCE_DOES_NOT_EXIST", "not found", lambda: client.get_model_version("bare2", "1"))
client.delete_registered_model("bare2")
refused("RESOURCE_ALREADY_EXISTS", "already exists", lambda: client.create_registered_model("journey"))
copied = client.copy_model_version("models:/journey/1", "journey-prod")
mlflow.onnx.load_model("models:/journey-prod/1")
step("versions without files, stages, tags, rename, delete, copy_model_version")

# --- prompts live in the registry, apart from models
mlflow.genai.register_prompt(name="greeting", template="Hello {{ name }}", commit_message="first")
assert mlflow.genai.load_prompt("prompts:/greeting/1").template == "Hello {{ name }}"
assert "greeting" not in [m.name for m in client.search_registered_models()]
assert [p.name for p in mlflow.genai.search_prompts()] == ["greeting"]
step("prompts")

# --- artifacts: nested, unicode, empty, text, dict, big, download, list, delete
with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as files:
    tree = os.path.join(folder, "tree")
    os.makedirs(os.path.join(tree, "deep", "deeper"))
    for name, text in (("a.txt", "a"), ("deep/файл 1 100%.txt", "ключ"), ("deep/deeper/empty", ""), ("deep/&+=@.txt", "odd")):
        with open(os.path.join(tree, name), "w") as file:
            file.write(text)
    big = os.path.join(folder, "big.bin")
    with open(big, "wb") as file:
        for _ in range(60):
            file.write(os.urandom(1024 * 1024))
    mlflow.log_artifacts(tree, "tree")
    mlflow.log_artifact(big)
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_dict({"x": [1, 2]}, "notes/x.json")
    names = lambda path=None: sorted(f.path for f in client.list_artifacts(files.info.run_id, path))
    assert names() == ["big.bin", "notes", "tree"], names()
    assert names("tree/deep") == sorted(["tree/deep/&+=@.txt", "tree/deep/deeper", "tree/deep/файл 1 100%.txt"]), names("tree/deep")
    assert mlflow.artifacts.load_text(f"runs:/{files.info.run_id}/notes/hello.txt") == "hello"
    assert mlflow.artifacts.load_dict(f"{files.info.artifact_uri}/notes/x.json") == {"x": [1, 2]}
    got = mlflow.artifacts.download_artifacts(run_id=files.info.run_id, artifact_path="tree", dst_path=os.path.join(folder, "out"))
    with open(os.path.join(got, "deep", "файл 1 100%.txt")) as file:
        assert file.read() == "ключ"
    assert os.path.getsize(os.path.join(got, "deep", "deeper", "empty")) == 0
    back = mlflow.artifacts.download_artifacts(f"runs:/{files.info.run_id}/big.bin", dst_path=os.path.join(folder, "out"))
    with open(back, "rb") as one, open(big, "rb") as other:
        assert one.read() == other.read()
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(files.info.artifact_uri).delete_artifacts("tree")
    assert names() == ["big.bin", "notes"]
step("artifacts: trees, unicode, empty, 60 MB, download, delete")

# --- a bare ONNX file, pushed through the native API, is a model that the client loads
import json
import urllib.request

push = urllib.request.Request(f"{sys.argv[1]}/api/binnacle/v1/models/pushed/versions?filename=clf.onnx", onnx_model.SerializeToString(), {"content-type": "application/octet-stream"}, method="POST")
pushed = json.loads(urllib.request.urlopen(push).read())
assert pushed["servable"] and pushed["version"] == 1, pushed
assert mlflow.onnx.load_model("models:/pushed/1").SerializeToString() == onnx_model.SerializeToString()
matrix = X.astype(np.float32).to_numpy()
assert (mlflow.pyfunc.load_model("models:/pushed/1").predict(matrix)["output_label" if "output_label" in [o.name for o in onnx_model.graph.output] else "label"] == model.predict(matrix)).all()
step("an uploaded .onnx, loaded by mlflow.onnx and mlflow.pyfunc")

# --- a gate policy set by the test for this model: the alias is refused, with the gate's name
if len(sys.argv) > 2:
    policy = {"policy": {"aliases": ["champion"], "signature": {}, "metric": {"key": "auc", "direction": "higher", "margin": 0.01, "atLeast": 0.9}}}
    put = urllib.request.Request(f"{sys.argv[1]}/api/binnacle/v1/models/journey/gate-policy", json.dumps(policy).encode(), {"content-type": "application/json"}, method="PUT")
    assert urllib.request.urlopen(put).status == 200
    refused("INVALID_PARAMETER_VALUE", "'metric'", lambda: client.set_registered_model_alias("journey", "champion", "1"))
    assert client.get_registered_model("journey").aliases == {}
    step("a failing gate refuses the alias")
print("done", flush=True)
