#!/usr/bin/env bash
# Three ways in which Apache Otava is silent, seen while gates were compared (docs/gate-peers.md).
#
# apache-otava 0.8.0, `otava analyze` on CSV files:
# 1. One `nan` hides a change of 50 %, wherever it is in the 30 runs, without a warning. Such a value is what NumPy and
#    pandas write for the mean of a run in which every request failed.
# 2. A metric that rises from 0 to 50, such as failed requests, is a change of "+0.0%".
# 3. The exit status is 0 if a regression is found, and also if the file of the test is missing. It is 1 if the name of
#    the test is unknown.
#
# Installs the pinned package in a temporary folder and needs nothing of this repository. Exits with 1 if the behavior
# differs from the above.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check apache-otava==0.8.0

cd "$folder"
"$folder/venv/bin/python" - "$folder/venv/bin/otava" <<'PYTHON'
import importlib.metadata
import json
import random
import subprocess
import sys
from pathlib import Path

OTAVA = sys.argv[1]
TEST = """
  {name}:
    type: csv
    file: {name}.csv
    time_column: time
    attributes: [commit]
    metrics: [{metric}]
    csv_options: {{delimiter: ","}}
"""
TESTS = {"ttft": "ttft_ms", "failed": "failed", "gone": "ttft_ms"}
Path("otava.yaml").write_text("tests:" + "".join(TEST.format(name=name, metric=metric) for name, metric in TESTS.items()))


def write(name: str, metric: str, values: list[str]) -> None:
    """One run a day."""
    lines = [f"2024.01.{day + 1:02d} 06:00:00 +0000,c{day},{value}" for day, value in enumerate(values)]
    Path(f"{name}.csv").write_text("\n".join([f"time,commit,{metric}", *lines]) + "\n")


def analyze(test: str, *arguments: str) -> subprocess.CompletedProcess:
    """`otava analyze`."""
    command = [OTAVA, "analyze", test, "--config-file", "otava.yaml", "--since", "2024-01-01", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def changes(test: str) -> list[str]:
    """The commits at which it finds a change."""
    found = json.loads(analyze(test, "--output", "json").stdout)[test]
    return [point["attributes"]["commit"] for point in found]


as_seen = True
print("apache-otava", importlib.metadata.version("apache-otava"))

print("\n1. 20 runs of 100 ms, then 10 of 150 ms")
noise = random.Random(1)
runs = [f"{(100 if day < 20 else 150) + noise.gauss(0, 1):.2f}" for day in range(30)]
write("ttft", "ttft_ms", runs)
whole = changes("ttft")
print(f"changes at {whole}")
as_seen &= whole == ["c20"]
for failed in (0, 5, 19, 20, 29):
    write("ttft", "ttft_ms", [*runs[:failed], "nan", *runs[failed + 1 :]])
    done = analyze("ttft")
    found = changes("ttft")
    print(f"with nan in run {failed}: changes at {found}, exit status {done.returncode}")
    as_seen &= found == [] and done.returncode == 0 and "WARN" not in done.stderr and "ERROR" not in done.stderr

print("\n2. 20 runs without a failed request, then 10 with 50 each")
write("failed", "failed", ["0"] * 20 + ["50"] * 10)
shown = [line.strip() for line in analyze("failed").stdout.splitlines() if "%" in line]
print(shown)
as_seen &= changes("failed") == ["c20"] and shown == ["+0.0%"]

print("\n3. Exit status")
write("ttft", "ttft_ms", runs)
statuses = {name: analyze(test).returncode for name, test in
            (("a regression", "ttft"), ("a missing file", "gone"), ("an unknown test", "nosuch"))}
print(statuses)
as_seen &= list(statuses.values()) == [0, 0, 1]

print("\nas seen before" if as_seen else "\nthe behavior has changed")
sys.exit(0 if as_seen else 1)
PYTHON
