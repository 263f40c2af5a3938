#!/usr/bin/env bash
# A surprise about failed requests, seen while gates were compared (docs/gate-peers.md).
#
# inference-doctor 0.4.1, `compare-runs`: a candidate with a failed request cannot be FAIL.
# 1. With `--metric requests_failed`, 50 of 100 requests that fail in every run of the candidate are INCONCLUSIVE, not
#    FAIL. The metric can only be PASS or INCONCLUSIVE.
# 2. A candidate with three times the latency is FAIL. If one of its 500 requests fails as well, it is INCONCLUSIVE.
# 3. An unchanged candidate is PASS. If one of its 500 requests fails, it is INCONCLUSIVE, whose exit status is 2. So 1
#    of 500 and 250 of 500 failed requests give the same answer.
#
# Installs the pinned package in a temporary folder and needs nothing of this repository. Exits with 1 if the behavior
# differs from the above.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check inference-doctor==0.4.1

cd "$folder"
"$folder/venv/bin/python" - "$folder/venv/bin/inference-doctor" <<'PYTHON'
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

DOCTOR = sys.argv[1]
as_seen = True
print("inference-doctor", importlib.metadata.version("inference-doctor"))


def write(side: str, ttft_ms: float, failed: list[int]) -> None:
    """Results of five runs of 100 requests, as `vllm bench serve --save-result` writes them."""
    Path(side).mkdir(exist_ok=True)
    for run, lost in enumerate(failed):
        result = {
            "endpoint_type": "openai", "backend": "openai", "model_id": "m", "num_prompts": 100, "request_rate": "inf",
            "max_concurrency": 1, "completed": 100 - lost, "failed": lost, "request_throughput": 1.0,
            "median_ttft_ms": ttft_ms + run,
        }
        Path(side, f"run-{run}.json").write_text(json.dumps(result))


def compare(metric: str) -> tuple[str, int]:
    """The result and the exit status."""
    sides = ["--baseline", "baseline", "--candidate", "candidate"]
    command = [DOCTOR, "compare-runs", *sides, "--metric", metric, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout)["result"], done.returncode


write("baseline", 100, [0] * 5)
for about, ttft_ms, failed, metric, expected in (
    ("no request fails", 100, [0] * 5, "requests_failed", ("PASS", 0)),
    ("1. half of the requests fail", 100, [50] * 5, "requests_failed", ("INCONCLUSIVE", 2)),
    ("2. three times the latency", 300, [0] * 5, "ttft_median_ms", ("FAIL", 1)),
    ("   and one failed request", 300, [1, 0, 0, 0, 0], "ttft_median_ms", ("INCONCLUSIVE", 2)),
    ("3. the same latency", 100, [0] * 5, "ttft_median_ms", ("PASS", 0)),
    ("   and one failed request", 100, [1, 0, 0, 0, 0], "ttft_median_ms", ("INCONCLUSIVE", 2)),
    ("   and half of all requests", 100, [50] * 5, "ttft_median_ms", ("INCONCLUSIVE", 2)),
):
    write("candidate", ttft_ms, failed)
    found = compare(metric)
    print(f"{about}, {metric}: {found[0]}, exit status {found[1]}")
    as_seen &= found == expected

print("\nas seen before" if as_seen else "\nthe behavior has changed")
sys.exit(0 if as_seen else 1)
PYTHON
