"""One of several processes that log to one run and to a run of their own, while the database is restarted: URL NAME SHARED_RUN BATCHES."""
import json
import sys

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

url, name, shared, batches = sys.argv[1:]
client = MlflowClient(url)
run_id = client.create_run("0", run_name=name).info.run_id
try:
    client.create_registered_model("crowd")
except Exception as error:  # another process was first
    assert error.error_code == "RESOURCE_ALREADY_EXISTS", error
version = client.create_model_version("crowd", f"s3://bucket/{name}", run_id).version
print("started", flush=True)
for batch in range(int(batches)):
    steps = range(batch * 10, batch * 10 + 10)
    client.log_batch(run_id, [Metric("m", step, step, step) for step in steps], [Param(f"p{batch}", name)], [RunTag("last", str(batch))])
    client.log_batch(shared, [Metric(name, step, step, step) for step in steps], [Param(f"{name}-{batch}", name)], [RunTag(name, str(batch))])
    client.set_registered_model_alias("crowd", f"of-{name}", version)
client.set_terminated(run_id, end_time=1)
print(json.dumps({"run": run_id, "version": version}))
