"""The meaning of columns: the same on the command line, in Python from a file, and in Python from a data frame."""

from __future__ import annotations

import json
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import CLI, REPOSITORY, SESSIONS

import llmscope as ls

COLUMNS = REPOSITORY / "llmscope-cli/tests/columns"
THROUGHPUT = COLUMNS / "throughput-base.csv"


def written(path: Path, *options: str) -> list[dict[str, Any]]:
    """The columns in the JSON of the command line."""
    command = [CLI, "analyze", path, *options, "--explain", "--json", "--undecided", "pass"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    columns: list[dict[str, Any]] = json.loads(done.stdout)["columns"]
    return columns


@pytest.mark.parametrize(
    ("name", "options", "keywords"),
    [
        ("suffix-ms.csv", ["--column", "latency_ms"], {"metric": "latency_ms"}),
        ("throughput-base.csv", ["--column", "tps"], {"metric": "tps"}),
        ("throughput-base.csv", ["--column", "tps", "--lower-is-better", "tps"], {"metric": "tps", "lower_is_better": "tps"}),
        ("throughput-base.csv", ["--column", "tps", "--unit", "tps=1/min"], {"metric": "tps", "units": {"tps": "1/min"}}),
        ("labels-sorted.csv", ["--column", "x", "--by", "batch"], {"metric": "x", "by": "batch"}),
    ],
)
def test_columns_are_those_of_the_command_line(name: str, options: list[str], keywords: dict[str, Any]) -> None:
    expected = written(COLUMNS / name, *options)
    report = ls.analyze(COLUMNS / name, **keywords)
    assert [column.to_dict() for column in report.columns] == expected == report.to_dict()["columns"]
    # A frame shows the columns that the analysis reads.
    frame = ls.analyze(pd.read_csv(COLUMNS / name), **keywords)
    used = [column for column in expected if column["used_as"] != "unused"]
    assert [c.to_dict() for c in frame.columns if c.used_as != "unused"] == used


@pytest.mark.parametrize("name", ["undisturbed", "paused", "second-load"])
def test_columns_of_sessions(name: str) -> None:
    path = SESSIONS / f"{name}.json"
    expected = written(path)
    assert [column.to_dict() for column in ls.analyze(path).columns] == expected
    assert [column.to_dict() for column in ls.analyze(ls.read_session(path)).columns] == expected


def test_a_column_has_its_meaning() -> None:
    report = ls.analyze(THROUGHPUT, metric="tps")
    column = next(column for column in report.columns if column.used_as == "judged")
    assert (column.name, column.role, column.unit, column.direction) == ("tps", "rate", "1/s", "higher_is_better")
    assert (column.unit_from, column.direction_from, column.mapped_to) == ("name", "name", None)
    assert (column.used, column.not_used) == (report[0].n, 0)
    assert pickle.loads(pickle.dumps(column)) == column


def test_explain_is_a_frame() -> None:
    report = ls.analyze(THROUGHPUT, metric="tps")
    table = report.explain("pandas")
    assert list(table["column"]) == [column.name for column in report.columns]
    judged = table[table["used_as"] == "judged"].iloc[0]
    assert (judged["unit"], judged["direction"], judged["direction_from"]) == ("1/s", "higher_is_better", "name")
    assert report.explain("polars").height == report.explain("pyarrow").num_rows == len(report.columns)


def test_strict_refuses_guesses_that_decide() -> None:
    with pytest.raises(ls.ParameterError, match="tps: higher is better, a guess from its name; state it with") as caught:
        ls.analyze(THROUGHPUT, metric="tps", strict=True)
    assert (caught.value.name, caught.value.value) == ("strict", "tps")
    stated = ls.analyze(THROUGHPUT, metric="tps", higher_is_better="tps", strict=True)
    assert stated == ls.analyze(THROUGHPUT, metric="tps", higher_is_better="tps")
    with pytest.raises(ls.ParameterError, match='the unit of tps is guessed from its name; state it with units={"tps": UNIT}'):
        ls.analyze(THROUGHPUT, metric="tps", higher_is_better="tps", strict=True, usl=100)
    with pytest.raises(ls.ParameterError, match="whether higher or lower is better is unknown"):
        ls.analyze(np.arange(50.0), metric="x", strict=True)
    # Metrics have fixed meanings, and limits of the caller are judged by rules.
    assert ls.analyze(SESSIONS / "paused.json", strict=True)
    assert ls.analyze(THROUGHPUT, metric="tps", strict=True, phase1=10).decided_by == "rules"


def test_an_unknown_direction_fails_the_gate_either_way() -> None:
    def frame(level: float) -> dict[str, np.ndarray]:
        return {"zork": level + np.arange(400.0) * 37 % 41}

    for candidate, verdict in [(600.0, "fail"), (120.0, "fail"), (300.0, "pass")]:
        answer = ls.gate(frame(300.0), frame(candidate), metric="zork", run_sd=0.01)
        pair = answer.pairs[0]
        assert (answer.verdict, pair.direction, pair.direction_from) == (verdict, "unknown", "unknown")
    stated = ls.gate(frame(300.0), frame(120.0), metric="zork", run_sd=0.01, lower_is_better="zork")
    assert (stated.verdict, stated.pairs[0].direction_from) == ("pass", "user")


def test_outcomes_by_their_values_mean_failures() -> None:
    fails = np.arange(60) % 10 == 6
    for name, ok, failed in [("status", 0, 14), ("code", 200, 503), ("timeout", False, True)]:
        frame = {"e2e_s": 0.3 + np.arange(60.0) * 37 % 41 / 1000, name: [failed if one else ok for one in fails]}
        assert ls.analyze(frame).analyses[0].excluded.failed == 6, name
    answers = {"e2e_s": np.arange(1.0, 61.0), "response": [f"text {row}" for row in range(60)]}
    assert ls.analyze(answers).analyses[0].excluded.failed == 0
    with pytest.raises(ls.FormatError, match="only 0 and 1"):
        ls.analyze({"e2e_s": [0.3, 0.4], "status": [0, 1]})
