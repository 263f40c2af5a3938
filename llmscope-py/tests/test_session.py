"""Sessions and logs as objects and frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import SESSIONS

import llmscope as ls


def test_a_recorded_session() -> None:
    session = ls.read_session(SESSIONS / "second-load.json")
    document = json.loads((SESSIONS / "second-load.json").read_text(encoding="utf-8"))
    assert len(session) == len(document["records"]) > 100
    assert (session.provider, session.model) == (document["provider"], document["model"])
    assert session.started_at is not None and session.started_at.isoformat().startswith("2026-11-23T")
    # Times are written without trailing zeros.
    timeless = [{**record, "started_at": None} for record in document["records"]]
    assert [{**record, "started_at": None} for record in session.to_dict()["records"]] == timeless
    assert session.environment is not None and session.environment["cpu"]
    assert not session.simulated
    assert f"Session: {len(session)} requests" in repr(session)
    recorded = [record.get("ttft_s", np.nan) for record in document["records"]]
    np.testing.assert_array_equal(session.metric("ttft_s", warmup=True), recorded)
    judged = [record.get("ttft_s", np.nan) for record in document["records"] if not record.get("warmup")]
    assert 0 < len(judged) < len(recorded)
    np.testing.assert_array_equal(session.metric("ttft_s"), judged)
    with pytest.raises(ls.UnknownNameError, match="ttft_s, e2e_s"):
        session.metric("latency")


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_a_session_as_a_frame(backend: str) -> None:
    session = ls.Session.from_json(
        json.dumps(
            {
                "schema": "llmscope.session/1",
                "provider": "vllm",
                "records": [
                    {"started_at": "2026-11-23T10:00:00.5Z", "ttft_s": 0.31, "e2e_s": 2.0, "output_tokens": 40,
                     "attributes": {"queue": 3, "node": "a"}},
                    {"started_at": "2026-11-23T10:00:01Z", "status": "timeout", "model": "m",
                     "error": {"type": "timeout"}},
                ],
            }
        )
    )
    frame = session.to_frame(backend)
    names = list(getattr(frame, "column_names", None) or frame.columns)
    assert names == ["started_at", "provider", "model", "status", "error_type", "ttft_s", "e2e_s",
                     "output_tokens_per_s", "output_tokens", "node", "queue"]
    values = [frame[name].to_pylist() if backend == "pyarrow" else frame[name].to_list() for name in names]
    assert str(values[0][0]).startswith("2026-11-23 10:00:00.5")
    assert values[1] == ["vllm", "vllm"] and values[3] == ["ok", "timeout"]
    assert values[5][0] == 0.31 and values[7][0] == 20.0
    assert values[5][1] is None or np.isnan(values[5][1])


def test_a_session_goes_out_as_it_came_in(tmp_path: Path) -> None:
    session = ls.read_session(SESSIONS / "paused.json")
    for name in ("copy.json", "copy.jsonl"):
        session.save(tmp_path / name)
        assert ls.read_session(tmp_path / name) == session
    assert ls.Session.from_json(session.to_json_lines()) == session
    with pytest.raises(ls.FormatError, match="llmscope"):
        ls.Session.from_json('{"schema": "llmscope.session/99", "records": []}')


def test_a_table_is_a_log_without_a_session(tmp_path: Path) -> None:
    path = tmp_path / "latency.csv"
    path.write_text("model,latency\nsmall,0.31\nlarge,\n", encoding="utf-8")
    log = ls.read_log(path)
    assert (log.tool, len(log), log.session, log.warnings) == ("csv", 2, None, [])
    frame = log.to_frame("pandas")
    assert frame["model"].tolist() == ["small", "large"] and np.isnan(frame["latency"][1])
    assert repr(log) == f"Log: 2 rows · csv · {path}"
    with pytest.raises(ls.FormatError, match=r"a table \(csv\), not a session"):
        ls.read_session(path)
    with pytest.raises(ls.UnknownNameError, match="expected llmscope, runs, llmperf"):
        ls.read_log(path, tool="excel")
