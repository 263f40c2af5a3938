"""What every result has in common: it is frozen, equals its copy, and survives pickling exactly."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
from conftest import SESSIONS

import llmscope as ls
from llmscope import _native


def failing() -> ls.Report:
    """Two runs with failures, a slow request, and longer answers since the middle."""
    generator = np.random.default_rng(4)
    records: list[dict[str, Any]] = []
    for i in range(120):
        tokens = 100 if i < 60 else 300
        records.append({"e2e_s": 0.01 * tokens * generator.lognormal(0.0, 0.1), "output_tokens": tokens})
    records[30]["e2e_s"] = 90.0
    records += [{"status": "timeout", "error": {"type": "timeout", "message": "no answer"}}] * 40
    document = json.dumps({"schema": "llmscope.session/1", "records": records})
    return ls.analyze([ls.Session.from_json(document)] * 2, metric="e2e_s", by=[])


def results() -> dict[str, Any]:
    values = np.random.default_rng(9).normal(0.3, 0.02, 60)
    chart = ls.individuals(values)
    report = ls.analyze(SESSIONS / "second-load.json", metric="ttft_s", usl="800ms", lsl=0.0)
    analysis = report[0]
    study = ls.analyze([SESSIONS / "paused.json", SESSIONS / "second-load.json"], by="session").studies[0]
    detector = ls.Detector("1/100", learn=20)
    detected = detector.push_many([*values, *values * 3])
    monitor = ls.Monitor(0.3, 0.02)
    monitor.push_many(values[:40])
    capability = ls.capability(values, lsl=0.2, usl=0.4)
    answer = failing()[0].answer
    nightly = ls.analyze(SESSIONS.parents[1] / "llmscope-cli/tests/runs/nightly-vllm.jsonl")[0].answer
    refused = ls.analyze(SESSIONS.parents[1] / "llmscope-core/tests/logs/oha/refusals.json")[0].answer.failures
    gate = ls.gate(SESSIONS / "undisturbed.json", SESSIONS / "second-load.json", slo="errors=5%")
    return {
        "Alarm": detected.alarms[0],
        "Analysis": analysis,
        "Answer": answer,
        "Capability": capability,
        "Change": answer.changes[0],
        "ChangePoint": ls.change_points([*values, *values + 9.0])[0],
        "Chart": ls.ewma(values),
        "Component": study.between,
        "ControlLimits": ls.attributes([1, 2, 3], [10, 20, 30]).limits,
        "Detection": detected,
        "Detector": detector,
        "Dispersion": analysis.dispersion,
        "Evidence": ls.Detector().push(0.3),
        "Arm": gate.pairs[0].baseline,
        "Basis": ls.analyze(values).basis,
        "Certificate": gate.certificates[0],
        "ColumnReport": report.columns[0],
        "Comparison": gate.pairs[0].comparisons[0],
        "Excluded": analysis.excluded,
        "ExpectedPpm": analysis.expected_ppm,
        "Factors": ls.factors(5),
        "FailedRuns": refused.runs if refused else None,
        "FailureCount": answer.failures.kinds[0] if answer.failures else None,
        "Failures": answer.failures,
        "Gate": gate,
        "GatePair": gate.pairs[0],
        "Judgement": chart.judge(),
        "Learning": ls.Detector().learning,
        "LoadChange": answer.load[0] if answer.load else None,
        "Moments": ls.moments(values),
        "Monitor": monitor,
        "Normality": ls.anderson_darling(values),
        "Patterns": analysis.patterns,
        "Performance": ls.performance(values, lsl=0.2, usl=0.4),
        "Picture": ls.imr(values),
        "Quantiles": analysis.quantiles,
        "RankedAnswer": report.answers[0],
        "Report": report,
        "Rule": ls.Rule("up", {"trend": {"length": 3}}),
        "RuleSet": ls.RuleSet("westgard"),
        "Run": study.runs[0],
        "RunsJudged": answer.runs,
        "Session": ls.read_session(SESSIONS / "paused.json"),
        "Shift": ls.analyze([*values, *values + 0.1], chart="cusum", phase1=60).shifts[0],
        "SigmaEstimate": ls.sigma(values),
        "SigmaReport": analysis.sigma,
        "Signal": ls.Monitor(0.0, 1.0).push(9.0)[0],
        "Since": answer.since,
        "SinceRun": nightly.since.run if nightly.since else None,
        "SlowRequests": answer.slow_requests,
        "Specification": analysis.specification,
        "Stage": ls.analyze(values, stages="auto").stages[0],
        "Standards": chart.standards,
        "Study": study,
        "Violation": ls.judge([9.0], 0.0, 1.0).violations[0],
    }


CLASSES = {name: kind for name, kind in vars(_native).items() if isinstance(kind, type)}


def test_every_class_is_tried() -> None:
    # A log contains a whole file and is not pickled: share its path instead.
    assert sorted(results()) == sorted(set(CLASSES) - {"Log"})
    for name, result in results().items():
        assert type(result) is CLASSES[name]


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"Log"}))
def test_a_copy_is_equal_to_the_last_bit(name: str) -> None:
    result = results()[name]
    for twin in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)):
        assert type(twin) is type(result)
        assert twin == result
        assert repr(twin) == repr(result)
    assert result != object()
    if name not in ("Detector", "Monitor", "Picture"):
        assert json.loads(result.to_json()) == result.to_dict()


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"Detector", "Monitor"}))
def test_results_are_frozen(name: str) -> None:
    public = [attribute for attribute in vars(CLASSES[name]) if not attribute.startswith("_")]
    result = results().get(name) or ls.read_log(SESSIONS / "paused.json")
    assert public
    for attribute in public:
        with pytest.raises(AttributeError):
            setattr(result, attribute, None)


def test_a_pickled_analysis_still_draws_itself() -> None:
    analysis = results()["Analysis"]
    assert pickle.loads(pickle.dumps(analysis))._repr_html_() == analysis._repr_html_()
    judgement = results()["Judgement"]
    assert pickle.loads(pickle.dumps(judgement)).to_svg() == judgement.to_svg()


def test_a_pickled_monitor_goes_on_where_it_was() -> None:
    monitor = results()["Monitor"]
    twin = pickle.loads(pickle.dumps(monitor))
    rest = np.random.default_rng(10).normal(0.31, 0.03, 100)
    signals = monitor.push_many(rest)
    assert twin.push_many(rest) == signals != []


def test_reprs_read_like_the_thing() -> None:
    shown = {name: repr(result) for name, result in results().items()}
    assert shown["Capability"].startswith("Capability(cp=")
    assert shown["Moments"].startswith("Moments(count=60, min=0.2")
    assert shown["Monitor"] == "Monitor(seen=40, rules='nelson-1,nelson-2,nelson-3,nelson-4,nelson-5,nelson-6,nelson-7,nelson-8')"
    assert shown["Answer"].startswith("Answer('80 of 320 requests failed (25 %)")
    assert shown["Since"].startswith("Since(index=")
    assert shown["RankedAnswer"].startswith("RankedAnswer(analysis=0, group={'model': ")
    assert shown["Violation"] == "Violation(rule='nelson-1', first=0, last=0, signals=[0], side='above')"


def test_what_restores_a_pickle_refuses_other_names() -> None:
    with pytest.raises(ValueError, match="no class Popen"):
        _native._restore("Popen", "{}")
    with pytest.raises(ValueError, match="missing field"):
        _native._restore("Factors", "{}")
