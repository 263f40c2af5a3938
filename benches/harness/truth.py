"""Starts the mock endpoint and reads its record of the chunks that it sent."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

from process import hurried


@dataclass(frozen=True)
class Truth:
    """The mock's times of one run of a tool, over the requests that the tool reports."""

    requests: int
    ttft_mean_s: float
    ttft_p99_s: float
    itl_mean_s: float
    requests_per_s: float
    """From the first request to the end of the last answer."""
    connections: int
    late_p99_s: float
    """How late the mock itself was after its deadlines."""
    began: float
    """``time.monotonic()`` when the first request was read."""
    ended: float


class Mock:
    """A running mock endpoint, for a ``with`` statement."""

    def __init__(self, binary: Path, arguments: Sequence[str], nice: int) -> None:
        self.process = subprocess.Popen(
            [str(binary), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=hurried(nice),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{binary} did not start")
        self.port = int(json.loads(line)["port"])
        self.reset_at = 0.0

    def __enter__(self) -> Mock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def reset(self) -> None:
        """Clears the mock's record."""
        self.fetch(Request(f"http://127.0.0.1:{self.port}/reset", method="POST"))
        self.reset_at = time.monotonic()

    def truth(self, requests: int) -> Truth:
        """The true times of the last ``requests`` complete answers. Earlier ones may belong to a tool's warm-up."""
        entries = self.fetch(Request(f"http://127.0.0.1:{self.port}/truth"))["requests"]
        answered = sorted(
            (entry for entry in entries if entry["e2e_s"] is not None), key=lambda entry: entry["start_s"]
        )
        counted = answered[-requests:]
        if not counted:
            raise ValueError("no request has a complete answer")
        ttft = [entry["ttft_s"] for entry in counted]
        began, ended = counted[0]["start_s"], max(entry["start_s"] + entry["e2e_s"] for entry in counted)
        return Truth(
            requests=len(counted),
            ttft_mean_s=mean(ttft),
            ttft_p99_s=quantile(ttft, 0.99),
            itl_mean_s=mean([entry["tpot_s"] for entry in counted]),
            requests_per_s=len(counted) / (ended - began),
            connections=len({entry["connection"] for entry in counted}),
            late_p99_s=quantile([entry["max_late_s"] for entry in counted], 0.99),
            began=self.reset_at + began,
            ended=self.reset_at + ended,
        )

    def fetch(self, request: Request) -> dict[str, Any]:
        """Sends a control request, outside of any measurement."""
        with urlopen(request, timeout=30) as answer:
            document: dict[str, Any] = json.load(answer)
        return document


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)


def quantile(values: Sequence[float], level: float) -> float:
    """A quantile with linear interpolation, as in NumPy and most tools."""
    ordered = sorted(values)
    rank = level * (len(ordered) - 1)
    below = int(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)
