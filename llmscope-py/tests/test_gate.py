"""The gate: the same verdict and numbers as on the command line, from files, frames, sessions and arrays."""

from __future__ import annotations

import json
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import CLI, REPOSITORY, SESSIONS
from test_pictures import image_of

import llmscope as ls

UNDISTURBED, LOADED = SESSIONS / "undisturbed.json", SESSIONS / "second-load.json"
THROUGHPUT = REPOSITORY / "llmscope-cli/tests/columns"


def written(*arguments: Any) -> tuple[Any, int]:
    """The JSON and the exit status of the command line."""
    command = [CLI, "gate", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    document = json.loads(done.stdout)
    del document["generated_at"]
    return document, done.returncode


def latencies(factor: float = 1.0, seed: int = 1, n: int = 400) -> Any:
    """Independent latencies of about 0.3 s times a factor."""
    return factor * 0.3 * np.random.default_rng(seed).lognormal(0.0, 0.2, n)


def session(values: Any, failed: int = 0, name: str | None = None) -> ls.Session:
    """A run of requests with these times to first token, after requests that failed."""
    records: list[dict[str, Any]] = [{"status": "timeout"}] * failed + [{"ttft_s": value} for value in values]
    document = {"schema": "llmscope.session/1", "records": records} | ({"name": name} if name else {})
    return ls.Session.from_json(json.dumps(document))


def test_files_are_judged_as_on_the_command_line() -> None:
    for options, keywords in (
        ([], {}),
        (["--max-shift", "60%", "--run-sd", "0", "--metric", "tpot_s"], {"max_shift": "60%", "run_sd": 0, "metric": "tpot_s"}),
        (["--statistic", "typical,p95", "--alpha", "0.05"], {"statistic": ["typical", "p95"], "alpha": 0.05}),
        (["--slo", "ttft=70ms,e2e.p95=1s,errors=5%"], {"slo": ["ttft=70ms", "e2e.p95=1s,errors=5%"]}),
        (["--max-share-increase", "0.5", "--rules", "1"], {"max_share_increase": 0.5, "rules": "1"}),
    ):
        expected, status = written(UNDISTURBED, LOADED, *options)
        gate = ls.gate(UNDISTURBED, LOADED, **keywords)  # type: ignore[arg-type]
        assert gate.to_dict() == expected and gate.exit_status == status, options


def test_several_runs_on_each_side() -> None:
    runs = [SESSIONS / f"{name}.json" for name in ("undisturbed", "paused", "second-load")]
    expected, status = written(runs[0], runs[1], "--candidate", runs[0], runs[2])
    gate = ls.gate(runs[:2], [runs[0], runs[2]])
    assert (gate.to_dict(), gate.exit_status) == (expected, status)
    assert gate.pairs[0].runs is not None and gate.pairs[0].runs["baseline"] == 2
    assert gate.warnings == [f"both sides have the same requests: {runs[0]}"]


def test_the_result_holds_the_comparisons() -> None:
    gate = ls.gate(latencies(), latencies(1.4, seed=2), metric="ttft_s", run_sd=0)
    assert (gate.verdict, gate.label, gate.failing, gate.exit_status) == ("fail", "worse", False, 1)
    pair = gate.pairs[0]
    assert (pair.metric, pair.unit, pair.baseline.n, pair.candidate.n) == ("ttft_s", "s", 400, 400)
    typical = pair.comparisons[0]
    assert (typical.statistic, typical.decision, typical.allowed) == ("typical", "worse", 0.05)
    assert typical.shift is not None and typical.shift_interval is not None
    lower, upper = typical.shift_interval
    assert lower is not None and upper is not None and 0.05 < lower < typical.shift < upper
    # Hodges and Lehmann's shift: the median of all quotients.
    quotients = latencies(1.4, seed=2)[:, None] / latencies()[None, :]
    assert typical.shift == pytest.approx(np.median(quotients) - 1, rel=1e-3)
    assert typical.change.startswith(f"+{100 * typical.shift:.0f} % [") and str(typical) == f"typical {typical.change}: worse"
    assert gate.headline in repr(gate) and repr(gate).startswith("WORSE  ") and str(pair) in repr(gate)
    assert typical.advice == "" and gate.promise in repr(gate)


def test_an_unchanged_candidate_passes() -> None:
    gate = ls.gate(latencies(), latencies(seed=2), metric="ttft_s", run_sd=0, max_shift="20%")
    assert (gate.verdict, gate.label, gate.exit_status) == ("pass", "not worse", 0)
    few = ls.gate(latencies(n=10), latencies(n=10, seed=2), metric="ttft_s")
    assert (few.verdict, few.exit_status) == ("not_enough_data", 0)
    assert all(one.decision == "not_enough_data" and one.reason for one in few.pairs[0].comparisons)


def test_all_kinds_of_data_give_the_same_comparisons() -> None:
    one, other = latencies(), latencies(1.2, seed=2)
    frames = [(make({"ttft_s": one}), make({"ttft_s": other})) for make in (dict, pd.DataFrame, pl.DataFrame)]
    arrow = (frames[2][0].to_arrow(), frames[2][1].to_arrow())
    sides = [*frames, arrow, (session(one), session(other)), (pd.Series(one), pl.Series(other))]
    gates = [ls.gate(*side, metric="ttft_s", run_sd="2%") for side in sides]
    expected = ls.gate(one, other, metric="ttft_s", run_sd=0.02).pairs[0].comparisons
    assert expected[0].decision == "worse"
    for gate in gates:
        # A session has an error rate, which shares alpha.
        assert [c.shift for c in gate.pairs[0].comparisons] == [c.shift for c in expected]
        assert gate.pairs[0].comparisons == expected or len(gate.pairs) == 2
        # Two objects of one name are not the same requests.
        assert gate.warnings == [] and gate.pairs[0].candidate.source == []
    run = session(one, name="nightly")
    assert ls.gate(run, run).warnings == ["both sides have the same requests: nightly"]
    assert ls.gate(run, session(other, name="nightly")).warnings == []


def test_failed_requests_count() -> None:
    gate = ls.gate(session(latencies()), session(latencies(seed=2), failed=40))
    assert (gate.verdict, gate.label, gate.failing) == ("fail", "failing", True)
    # 40 of 440 requests.
    assert gate.headline.startswith("9.1 % of the requests failed, 0 % in the baseline")
    frame = pd.DataFrame({"ttft_s": [*[None] * 40, *latencies(seed=2)], "status": ["timeout"] * 40 + ["ok"] * 400})
    baseline = pd.DataFrame({"ttft_s": latencies(), "status": "ok"})
    assert ls.gate(baseline, frame).headline.startswith("9.1 % of the requests failed, 0 % in the baseline")


def test_objectives_need_no_baseline() -> None:
    expected, status = written(LOADED, "--slo", "ttft.p99=60ms,errors=10%")
    gate = ls.gate(LOADED, slo="ttft.p99=60ms,errors=10%")
    assert (gate.to_dict(), gate.exit_status) == (expected, status)
    values = latencies()
    gate = ls.gate(values, metric="ttft_s", slo="ttft.p50=1s,ttft.p95=200ms")
    assert [one.status for one in gate.certificates] == ["met", "missed"] and gate.label == "missed"
    missed = gate.certificates[1]
    assert missed.observed == pytest.approx(np.mean(values > 0.2)) and missed.n == 400 and missed.runs == 1
    assert gate.headline == missed.text == str(missed)
    with pytest.raises(ls.ParameterError, match="missing candidate: expected data to compare"):
        ls.gate(values, slo="ttft=500ms")


def test_a_frame_has_one_row_per_comparison() -> None:
    gate = ls.gate(UNDISTURBED, LOADED)
    for backend in ("pandas", "polars", "pyarrow"):
        table = gate.to_frame(backend)  # type: ignore[arg-type]
        columns = table.column_names if backend == "pyarrow" else list(table.columns)
        assert columns[:5] == ["model", "provider", "metric", "unit", "statistic"]
        assert len(table) == sum(len(pair.comparisons) for pair in gate.pairs)
    table = gate.to_frame("pandas")
    worse = table[table["decision"] == "worse"].iloc[0]
    one = next(c for pair in gate.pairs for c in pair.comparisons if c.decision == "worse")
    assert (worse["statistic"], worse["shift"]) == (one.statistic, one.shift)
    assert one.shift_interval is not None and one.shift_interval[1] is None
    assert worse["shift_lower"] == one.shift_interval[0] and np.isnan(worse["shift_upper"])


def test_the_picture_shows_intervals_and_decisions(tmp_path: Path) -> None:
    gate = ls.gate(UNDISTURBED, LOADED, slo="errors=5%")
    svg, alt = image_of(gate._repr_html_())
    assert svg == gate.to_svg() and alt == "gate: worse"
    for pair in gate.pairs:
        for comparison in pair.comparisons:
            assert f">{comparison.change}</text>" in svg
    assert "largest allowed change" in svg and "objectives of the run" in svg
    gate.save(tmp_path / "gate.svg")
    assert (tmp_path / "gate.svg").read_text(encoding="utf-8") == svg
    gate.save(tmp_path / "gate.png")
    assert (tmp_path / "gate.png").read_bytes().startswith(b"\x89PNG")


def test_results_are_values() -> None:
    gate = ls.gate(UNDISTURBED, LOADED, slo="errors=5%")
    parts = [gate, gate.pairs[0], gate.pairs[0].baseline, gate.pairs[0].comparisons[0], gate.certificates[0]]
    for part in parts:
        assert pickle.loads(pickle.dumps(part)) == part
    assert gate == ls.gate(UNDISTURBED, LOADED, slo="errors=5%") != ls.gate(UNDISTURBED, LOADED)


def test_directions_are_stated_or_guessed() -> None:
    base, faster = THROUGHPUT / "throughput-base.csv", THROUGHPUT / "throughput-faster.csv"
    for direction, keywords in (
        ("--lower-is-better", {"lower_is_better": "tps"}),
        ("--higher-is-better", {"higher_is_better": ["tps"]}),
    ):
        expected, status = written(base, faster, "--column", "tps", direction, "tps", "--strict", "--run-sd", "0")
        gate = ls.gate(base, faster, metric="tps", strict=True, run_sd=0, **keywords)  # type: ignore[arg-type]
        assert (gate.to_dict(), gate.exit_status) == (expected, status)
    with pytest.raises(ls.ParameterError, match=r'tps: higher is better, a guess from its name; state it with higher_is_b'):
        ls.gate(base, faster, metric="tps", strict=True)


def test_sides_without_anything_in_common_are_refused() -> None:
    with pytest.raises(ls.UnknownNameError, match="measure of the candidate"):
        ls.gate({"a": latencies()}, {"b": latencies()})
    with pytest.raises(ls.UnknownNameError, match="candidate group"):
        ls.gate({"model": ["a"] * 50 + ["b"] * 50, "x": latencies(n=100)}, {"model": ["c"] * 100, "x": latencies(n=100)})
    with pytest.raises(ls.ParameterError, match="alpha"):
        ls.gate(latencies(), latencies(), alpha=0.5)
    with pytest.raises(ls.UnknownNameError, match="statistic"):
        ls.gate(latencies(), latencies(), statistic="median")
