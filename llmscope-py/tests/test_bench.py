"""Benchmarks from Python: a simulated endpoint, progress, Ctrl-C, and this machine."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

import llmscope as ls

FAST = "ttft=4ms,tpot=1ms,tokens=6,spread=0.05"


def test_a_session_comes_back() -> None:
    session = ls.bench("simulated", requests=20, warmup=3, concurrency=4, simulate=FAST, labels={"build": "7"})
    assert (len(session), session.simulated, session.provider) == (23, True, "simulated")
    assert session.metric("ttft_s").shape == (20,)
    assert session.labels["build"] == "7"
    assert session.client_health is not None
    summary = session.summary(slo="ttft=1s")
    assert (summary["requests"], summary["failed"], summary["good_share"]) == (20, 0, 1.0)
    assert summary["metrics"]["ttft_s"]["p50"] >= 0.002
    assert "SIMULATED" in repr(session)


def test_failures_are_counted_and_have_no_latency() -> None:
    session = ls.bench("simulated", requests=40, simulate=FAST + ",failures=30%")
    summary = session.summary()
    assert summary["failed"] == summary["errors"]["server_error"] > 0
    assert len(session) == 40


def test_custom_prompts_and_a_sweep(tmp_path: Path) -> None:
    session = ls.bench("simulated", prompts=["one", "two words"], requests=6, concurrency=[1, 2], simulate=FAST)
    assert len(session) == 12
    assert sorted(set(session.metric("concurrency").tolist())) == [1.0, 2.0]
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "one two three"}\n', encoding="utf-8")
    read = ls.bench("simulated", prompts=path, requests=2, simulate=FAST)
    assert {record["input_tokens"] for record in read.to_dict()["records"]} == {3}


def test_the_file_grows_during_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    session = ls.bench("simulated", requests=5, simulate=FAST, output=path)
    assert ls.read_session(path).to_json() == session.to_json()
    with pytest.raises(ls.FileError):
        ls.bench("simulated", requests=5, simulate=FAST, output=path)


def test_progress_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    summaries: list[dict[str, Any]] = []
    ls.bench("simulated", requests=10, simulate=FAST, progress=summaries.append)
    assert summaries[-1]["requests"] == 10
    ls.bench("simulated", requests=10, simulate=FAST, progress=True)
    assert "10 requests · TTFT p50" in capsys.readouterr().err
    ls.bench("simulated", requests=10, simulate=FAST, progress=False)
    assert capsys.readouterr().err == ""


def test_ctrl_c_returns_what_there_is() -> None:
    # If tests run in the background, the shell has disabled Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.6, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        session = ls.bench("simulated", duration="60s", simulate=FAST)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert 5 < len(session)
    assert "stopped by the user" in session.events[-1]["message"]


def test_this_machine() -> None:
    machine = ls.probe()
    assert machine["environment"]["cpu"]["logical_cores"] >= 1
    assert machine["sample"]["memory_used_bytes"] > 0

    def absent(value: Any) -> bool:
        if isinstance(value, dict):
            return any(map(absent, value.values()))
        return value is None

    assert not absent(machine)
