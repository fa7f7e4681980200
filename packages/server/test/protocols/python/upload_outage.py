"""Sends 400 MiB to argv[1] and ends the process argv[2] on the way, as a client that looks for an answer when all is sent. Prints the status."""

import json
import os
import signal
import sys

import requests


def body():
    for i in range(400):
        if i == 40:
            os.kill(int(sys.argv[2]), signal.SIGTERM)
        yield b"x" * 2**20


print(json.dumps(requests.put(sys.argv[1], data=body(), timeout=60).status_code))
