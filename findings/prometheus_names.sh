#!/usr/bin/env bash
# Two surprises about metrics whose names have a colon, such as vLLM's, seen while snapshots of them were read.
#
# prometheus_client 0.26.0:
# 1. The same page has `vllm:requests` for curl, and `vllm_requests` for a client that accepts OpenMetrics 1.0.0, as a
#    Prometheus server does. A name that was copied from the page finds nothing in the server.
# 2. In the second form, the lines with the types of the metrics still have the colon. They describe metrics that the page
#    does not contain, and its samples have no type.
#
# Installs the pinned package in a temporary folder and needs nothing of this repository. Exits with 1 if the behavior
# differs from the above.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check prometheus-client==0.26.0

"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import choose_encoder

# What Prometheus 2.42 sends.
SERVER = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
registry = CollectorRegistry()
Histogram("vllm:requests", "Times", registry=registry).observe(0.3)

print("prometheus_client", importlib.metadata.version("prometheus_client"))
pages = {}
for client, accepted in (("curl", "*/*"), ("a server", SERVER)):
    encode, content_type = choose_encoder(accepted)
    lines = encode(registry).decode().splitlines()
    described = [line.split()[2] for line in lines if line.startswith("# TYPE") and "created" not in line]
    counted = [line.split()[0] for line in lines if "_count" in line and not line.startswith("#")]
    pages[client] = (described, counted)
    print(f"{client} ({content_type.split(';')[0]}): types of {described}, samples {counted}")

as_seen = pages["curl"] == (["vllm:requests"], ["vllm:requests_count"])
as_seen &= pages["a server"] == (["vllm:requests"], ["vllm_requests_count"])
print("\nas seen before" if as_seen else "\nthe behavior has changed")
sys.exit(0 if as_seen else 1)
PYTHON
