"""Prints the routes of mlflow's own server as JSON: [method, path] each, parameters as <name>."""

import json

from mlflow.server.handlers import get_endpoints

print(json.dumps(sorted({(method, path) for path, _, methods in get_endpoints() for method in methods})))
