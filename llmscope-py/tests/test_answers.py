"""The verdict on a series: what changed, since when, by how much, at the alpha of the call."""

from __future__ import annotations

import json
import re
import subprocess
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import CLI, SESSIONS

import llmscope as ls


def latencies(n: int = 300, seed: int = 1) -> Any:
    """Independent latencies of about 0.3 s, without a change."""
    return 0.3 * np.random.default_rng(seed).lognormal(0.0, 0.1, n)


def slower(factor: float = 1.5, n: int = 300) -> Any:
    """Latencies whose second half is longer."""
    return np.where(np.arange(n) < n // 2, 1.0, factor) * latencies(n)


def session(name: str = "run", n: int = 60, failed: Any = (), tokens: Any = None, level: float = 1.0) -> ls.Session:
    """A run of requests: some failed, with a number of tokens in the answer on which the duration depends."""
    noise = level * latencies(n, seed=len(name) + n)
    records: list[dict[str, Any]] = []
    for i, value in enumerate(noise):
        if i in failed:
            records.append({"status": "timeout", "error": {"type": "timeout", "message": "no answer"}})
        elif tokens is None:
            records.append({"ttft_s": value})
        else:
            records.append({"e2e_s": value * tokens[i] / 100, "input_tokens": 50, "output_tokens": int(tokens[i])})
        records[-1]["started_at"] = f"2026-11-23T10:{i // 60:02}:{i % 60:02}Z"
    return ls.Session.from_json(json.dumps({"schema": "llmscope.session/1", "name": name, "records": records}))


def test_a_change_of_the_level() -> None:
    analysis = ls.analyze(slower(), metric="ttft_s")
    answer = analysis.answer
    assert (analysis.verdict, answer.part, answer.direction) == ("changed", "level", "worse")
    assert answer.since is not None and answer.since.t is None
    first, last = answer.since.interval
    assert first <= answer.since.index <= last and first <= 150 <= last
    assert answer.interval is not None and answer.ratio is not None
    assert answer.interval[0] < answer.ratio < answer.interval[1] and answer.ratio == pytest.approx(1.5, abs=0.1)
    assert answer.p is not None and answer.p_call is not None and answer.p < answer.p_call <= 0.01
    (change,) = answer.changes
    assert (change.part, change.since, change.ratio, change.p) == ("level", answer.since, answer.ratio, answer.p)
    assert change.after / change.before == pytest.approx(answer.ratio, abs=0.1)
    assert (answer.difference, answer.load, answer.failures, answer.runs, answer.need) == (None,) * 5
    assert (answer.adjusted_for, answer.events) == ([], [])
    assert answer.effective_n is not None and 0 < answer.effective_n <= 300
    assert answer.text.startswith("slower by ") and str(answer) == answer.text
    assert repr(answer) == f"Answer('{answer.text}')"


def test_directions() -> None:
    assert ls.analyze(slower(0.6), metric="ttft_s").answer.direction == "better"
    assert ls.analyze(slower(), metric="output_tokens_per_s").answer.direction == "better"
    assert ls.analyze(slower(), metric="size").answer.direction == "unknown"
    change = ls.analyze(slower() - 0.3, metric="ttft_s").answer
    assert change.ratio is None and change.difference == pytest.approx(0.15, abs=0.03)


def test_stable_and_too_few() -> None:
    stable = ls.analyze(latencies(), metric="ttft_s")
    assert (stable.verdict, stable.answer.part, stable.answer.since) == ("stable", None, None)
    assert stable.answer.p_call is not None and stable.answer.p_call > 0.01
    assert stable.answer.text.startswith("no change")
    few = ls.analyze(latencies(12), metric="ttft_s")
    assert (few.verdict, few.answer.need) == ("not_enough_data", 18)
    # The rules need fewer points.
    assert few.patterns.verdict != "not_enough_data"


def test_the_patterns_are_separate_from_the_verdict() -> None:
    values = slower()
    analysis = ls.analyze(values, metric="ttft_s", rules="nelson")
    judgement = ls.individuals(values, bounds=(0, None)).judge()
    patterns = analysis.patterns
    assert patterns.verdict == "out_of_control"
    assert patterns.violations == analysis.violations == judgement.violations
    assert patterns.rules == analysis.rules == judgement.rules.codes
    assert patterns.shifts == analysis.shifts == []
    no_rules = ls.analyze(values, metric="ttft_s", rules="none")
    assert (no_rules.verdict, no_rules.patterns.verdict) == ("changed", "in_control")
    cusum = ls.analyze(values, metric="ttft_s", chart="cusum", phase1=100)
    assert [shift.side for shift in cusum.shifts][-1] == "above"
    assert cusum.shifts == cusum.patterns.shifts
    assert cusum.shifts[-1].began <= cusum.shifts[-1].signal and cusum.shifts[-1].mean > 0.4


def test_failing() -> None:
    analysis = ls.analyze(session(failed=range(40, 60)), metric="ttft_s")[0]
    assert analysis.verdict == "failing"
    failures = analysis.answer.failures
    assert failures is not None
    assert (failures.count, failures.requests, failures.last_in_a_row) == (20, 60, 20)
    assert failures.share == pytest.approx(1 / 3)
    assert [(kind.label, kind.count) for kind in failures.kinds] == [("timeout", 20)]
    assert "20 of 60 requests failed" in analysis.answer.text


def test_the_load_is_not_the_server() -> None:
    tokens = np.where(np.arange(200) < 100, 100, 200) + np.random.default_rng(2).integers(-9, 9, 200)
    analysis = ls.analyze(session(n=200, tokens=tokens), metric="e2e_s")[0]
    assert analysis.verdict == "stable"
    assert "output tokens" in " ".join(analysis.answer.adjusted_for).replace("_", " ")
    assert analysis.answer.load is not None
    (change,) = analysis.answer.load
    assert change.name == "output_tokens" and abs(change.index - 100) < 5 and change.t is not None
    assert change.ratio == pytest.approx(2.0, abs=0.1) and change.p < 0.01


def test_runs_are_compared_with_each_other() -> None:
    few = ls.analyze([session(f"run {i}") for i in range(3)], metric="ttft_s", by=[])[0]
    assert few.answer.runs is not None
    assert (few.verdict, few.answer.runs.count, few.answer.runs.need) == ("not_enough_data", 3, few.answer.need)
    runs = [session(f"run {i}", level=1.0 if i < 5 else 1.5) for i in range(10)]
    many = ls.analyze(runs, metric="ttft_s", by=[])[0]
    assert many.answer.runs is not None and many.answer.runs.p is not None
    assert (many.verdict, many.answer.runs.need) == ("changed", None)


def test_single_slow_requests() -> None:
    values = latencies()
    values[77] = 9.0
    usual, with_spikes = ls.analyze(values, metric="ttft_s"), ls.analyze(values, metric="ttft_s", spikes=True)
    slow = usual.answer.slow_requests
    assert slow is not None and (slow.count, slow.index, slow.slowest) == (1, 77, 9.0)
    assert "slow" in usual.answer.text and slow == with_spikes.answer.slow_requests
    assert (usual.verdict, with_spikes.verdict, with_spikes.answer.part) == ("stable", "changed", "slow_requests")


def test_all_series_share_alpha() -> None:
    groups = {f"m{i}": latencies(200, seed=i) for i in range(10)}
    groups["m4"] = slower(1.06, 200)
    columns = {"model": np.repeat(list(groups), 200), "ttft_s": np.concatenate(list(groups.values()))}
    report = ls.analyze(columns, metric="ttft_s", by="model", alpha=0.2)
    assert (report.alpha, report.comparisons) == (0.2, 10)
    alone = ls.analyze(groups["m4"], metric="ttft_s", alpha=0.2).answer
    shared = report[4].answer
    assert alone.p == shared.p and alone.p_call is not None and shared.p_call == pytest.approx(10 * alone.p_call)
    verdicts = [ls.analyze(groups["m4"], metric="ttft_s", alpha=alpha).verdict for alpha in (0.2, 1e-9)]
    assert verdicts == ["changed", "stable"]
    # Series that cannot signal have no share.
    columns = {"model": ["a"] * 200 + ["b"] * 5, "ttft_s": np.concatenate([groups["m1"], groups["m2"][:5]])}
    assert ls.analyze(columns, metric="ttft_s", by="model").comparisons == 1


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, -0.1, float("nan")])
def test_an_alpha_that_is_no_chance(alpha: float) -> None:
    with pytest.raises(ls.ParameterError, match="invalid alpha .* expected a probability above 0 and below 0.5"):
        ls.analyze(latencies(30), alpha=alpha)


def fleet() -> dict[str, Any]:
    """A stable series, one that became faster, one that became slower, and a short one."""
    groups = {"calm": latencies(), "better": slower(0.7), "worse": slower(), "new": latencies(8)}
    return {
        "model": np.repeat(list(groups), [len(values) for values in groups.values()]),
        "ttft_s": np.concatenate(list(groups.values())),
    }


def test_answers_are_ranked() -> None:
    report = ls.analyze(fleet(), metric="ttft_s", by="model")
    assert [(answer.group["model"], answer.verdict, answer.direction) for answer in report.answers] == [
        ("worse", "changed", "worse"),
        ("better", "changed", "better"),
        ("calm", "stable", None),
        ("new", "not_enough_data", None),
    ]
    for answer in report.answers:
        analysis = report[answer.analysis]
        assert (analysis.group, analysis.metric) == (answer.group, answer.metric)
        assert (analysis.verdict, analysis.answer.text) == (answer.verdict, answer.text)
    assert report.headline.startswith("4 series: 1 changed for the worse, 1 changed for the better, 1 without")
    assert re.search(r"at most 1(\.0)? % of such calls", report.headline)
    document = report.to_dict()
    assert document["schema"] == "llmscope.report/2"
    assert document["answers"] == [answer.to_dict() for answer in report.answers]
    assert (document["alpha"], document["comparisons"], document["decided_by"]) == (0.01, 3, "changes")
    assert ls.analyze(fleet(), metric="ttft_s", by="model", phase1=5).decided_by == "rules"


def test_a_frame_of_answers() -> None:
    report = ls.analyze(fleet(), metric="ttft_s", by="model")
    table: pd.DataFrame = report.to_frame("pandas")
    assert table["verdict"].tolist() == ["stable", "changed", "changed", "not_enough_data"]
    assert table["answer"].tolist() == [analysis.answer.text for analysis in report]
    assert table["patterns"].tolist() == [analysis.patterns.verdict for analysis in report]
    assert table["violations"].tolist() == [len(analysis.violations) for analysis in report]


def test_text_gives_the_answer_first() -> None:
    report = ls.analyze(fleet(), metric="ttft_s", by="model")
    lines = repr(report).splitlines()
    assert lines[0] == report.headline
    assert lines[2:4] == ["CHANGED  ttft_s (time to first token)  worse", f"  {report.answers[0].text}"]
    assert lines.index("PATTERNS OUT OF CONTROL  ttft_s (time to first token)  worse") > 10
    lines = repr(report[2]).splitlines()
    assert lines[:3] == ["CHANGED  ttft_s (time to first token)  worse", f"  {report.answers[0].text}", ""]
    assert lines[3] == "PATTERNS OUT OF CONTROL  ttft_s (time to first token)  worse"


def test_a_notebook_gives_the_answer_first() -> None:
    report = ls.analyze(fleet(), metric="ttft_s", by="model")
    html = report._repr_html_()
    # Headline, answers, patterns, and then a chart for each series.
    texts = [escape(answer.text, quote=False) for answer in report.answers]
    marks = [report.headline, *texts, "<strong>Patterns</strong>", "<details>"]
    places = [html.index(mark) for mark in marks]
    assert places == sorted(places) and html.count("<img") == 4
    assert html.index("rules broken") > html.index("<strong>Patterns</strong>")
    single = report[2]._repr_html_()
    places = [single.index(mark) for mark in ("changed</strong>", texts[0], "<img", "patterns", "nelson-1")]
    assert places == sorted(places)
    only = ls.analyze({"x": latencies(), "model": ["a"] * 300}, metric="x", by="model")
    assert only._repr_html_().startswith(f"<p>{only.headline}</p>") and only[0]._repr_html_() in only._repr_html_()


def test_a_message_in_an_answer_is_escaped() -> None:
    records = [{"status": "error", "error": {"type": "<b>", "message": "<script>alert(1)</script>"}}] * 30
    document = {"schema": "llmscope.session/1", "records": records + [{"ttft_s": 0.3}] * 30}
    report = ls.analyze(ls.Session.from_json(json.dumps(document)), metric="ttft_s")
    assert report[0].verdict == "failing" and "<script>" in report[0].answer.text
    assert re.search("<script>|<b>", report._repr_html_()) is None


def test_the_options_are_those_of_the_command_line() -> None:
    paths = sorted(SESSIONS.glob("*.json"))
    options = ["--by", "session", "--alpha", "0.2", "--spikes", "--json"]
    written = subprocess.run([CLI, "analyze", *paths, *options], capture_output=True, check=False)
    assert written.returncode in (0, 1), written.stderr
    expected = json.loads(written.stdout)
    del expected["generated_at"]
    assert ls.analyze(paths, by="session", alpha=0.2, spikes=True).to_dict() == expected


def test_objectives_are_those_of_the_command_line() -> None:
    path, slo = SESSIONS / "second-load.json", "ttft.p99=60ms,errors=5%,e2e=300ms"
    written = subprocess.run([CLI, "analyze", path, "--slo", slo, "--json"], capture_output=True, check=False)
    assert written.returncode in (0, 1), written.stderr
    expected = json.loads(written.stdout)
    del expected["generated_at"]
    report = ls.analyze(path, slo=slo)
    assert report.to_dict() == expected == ls.analyze(path, slo=slo.split(",")).to_dict()
    ttft, e2e = (next(a for a in report if a.metric == metric) for metric in ("ttft_s", "e2e_s"))
    assert [one.objective for one in ttft.answer.objectives] == ["ttft.p99=60ms", "errors=5%"]
    assert ttft.answer.objectives[0].status == "cannot_tell" and ttft.answer.objectives[0].text in ttft.answer.text
    # The objective of a request is the upper specification limit of its metric only.
    assert e2e.specification is not None and e2e.specification.upper == 0.3 and ttft.specification is None
    values = ls.read_session(path).metric("e2e_s")
    assert e2e.answer.goodput == {"e2e=300ms": pytest.approx(np.mean(values <= 0.3))}


def test_objectives_of_arrays_and_frames() -> None:
    values = latencies()
    for data in (values, {"ttft_s": values}):
        found = ls.analyze(data, metric="ttft_s", slo="ttft.p95=200ms,ttft=300ms")
        answer = (found if isinstance(found, ls.Analysis) else found[0]).answer
        (certificate,) = answer.objectives
        assert (certificate.status, certificate.n) == ("missed", 300)
        assert certificate.observed == pytest.approx(np.mean(values > 0.2))
        assert answer.goodput == {"ttft=300ms": pytest.approx(np.mean(values <= 0.3))}
    with pytest.raises(ls.UnknownNameError, match="metric of the objective"):
        ls.analyze(values, metric="ttft_s", slo="e2e.p95=1s")
    with pytest.raises(ls.ParameterError, match="a limit with its unit"):
        ls.analyze(values, metric="ttft_s", slo="ttft=300")


def test_failed_rows_of_a_frame_count() -> None:
    frame = pd.DataFrame({"ttft_s": latencies(60), "status": ["ok"] * 40 + ["timeout"] * 20})
    failures = ls.analyze(frame)[0].answer.failures
    assert failures is not None and (failures.count, failures.requests) == (20, 60)
    assert ls.analyze(frame, status="status=ok,timeout")[0].answer.failures is None
    assert ls.analyze(frame, status="none")[0].n == 60
    with pytest.raises(ls.FormatError, match="state which values succeeded"):
        ls.analyze(frame.assign(status="so-so"))
    # A count of failures marks no row.
    assert ls.analyze(frame.assign(status="ok", failed=np.arange(60)), metric="ttft_s")[0].n == 60


def test_a_frame_gives_the_answers_of_its_file(tmp_path: Any) -> None:
    rng = np.random.default_rng(5)
    tokens = rng.integers(50, 150, 200)
    table = pd.DataFrame({
        "model": ["a", "b"] * 100, "e2e_s": tokens * rng.lognormal(-4.5, 0.05, 200), "output_tokens": tokens,
        "input_tokens": 20, "status": ["ok"] * 190 + ["error"] * 10, "timestamp": np.arange(200) + 1.7e9,
    })  # fmt: skip
    table.to_csv(tmp_path / "log.csv", index=False)
    of_file, of_frame = ls.analyze(tmp_path / "log.csv"), ls.analyze(pd.read_csv(tmp_path / "log.csv"))
    assert [a.answer for a in of_frame] == [a.answer for a in of_file]
    assert of_frame[0].answer.adjusted_for and of_frame[0].excluded.failed == 5
