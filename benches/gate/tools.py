"""What each tool answers about the same two sets of runs: ``fail``, ``pass`` or ``undecided``.

Each function imports its package, so that the other modules need none of them. LLMscope gets the requests. The others
get the figures of each run that a load generator writes: median, p99, and the number of failed requests.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scenarios import Run

ALLOWED = 0.05
"""The allowed shift, for the tools that have one."""


@dataclass(frozen=True)
class Tool:
    """A tool with its settings."""

    name: str
    settings: str
    answer: Callable[[list[Run], list[Run], Path], str]


def llmscope(program: Path, alpha: float, baseline: list[Run], candidate: list[Run], folder: Path) -> str:
    """``llmscope gate``: the exit status, and the verdict if it is 0."""
    sides = [requests_of(runs, folder / name) for name, runs in (("baseline", baseline), ("candidate", candidate))]
    command = [program, "gate", *sides[0], "--candidate", *sides[1], "--max-shift", str(ALLOWED), "--json"]
    metric = {"ttft": "ttft_s", "e2el": "e2e_s"}[baseline[0].metric]
    done = subprocess.run([*command, "--metric", metric, "--alpha", str(alpha)], capture_output=True, text=True)
    if done.returncode == 1:
        return "fail"
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return {"pass": "pass", "not_enough_data": "undecided"}[json.loads(done.stdout)["verdict"]]


def requests_of(runs: Sequence[Run], folder: Path) -> list[Path]:
    """One JSON Lines file for each run, one line for each request."""
    folder.mkdir(parents=True, exist_ok=True)
    name = {"ttft": "ttft_s", "e2el": "e2e_s"}[runs[0].metric]
    paths = []
    for number, run in enumerate(runs):
        lines = []
        for i, value in enumerate(run.values):
            failed = bool(np.isnan(value))
            row: dict[str, object] = {"model": "m", "status": "error" if failed else "ok"}
            if not failed:
                row[name] = float(value)
            if run.tokens is not None:
                row["output_tokens"] = int(run.tokens[i])
            lines.append(json.dumps(row))
        paths.append(folder / f"run-{number}.jsonl")
        paths[-1].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def inference_doctor(baseline: list[Run], candidate: list[Run], folder: Path) -> str:
    """``inference-doctor compare-runs`` on files of ``vllm bench serve --save-result``: its exit status."""
    from inference_doctor.cli import app
    from typer.testing import CliRunner

    metric = baseline[0].metric
    arguments = ["compare-runs", "--gpu", "one", "--regression-percent", str(100 * ALLOWED)]
    for name, runs in (("baseline", baseline), ("candidate", candidate)):
        arguments += [f"--{name}", str(vllm_results(runs, folder / name))]
    for statistic in ("median", "p99"):
        arguments += ["--metric", f"{metric}_{statistic}_ms"]
    result = CliRunner().invoke(app, arguments)
    answers = {0: "pass", 1: "fail", 2: "undecided"}
    if result.exit_code not in answers:
        raise SystemExit(result.output)
    return answers[result.exit_code]


def vllm_results(runs: Sequence[Run], folder: Path) -> Path:
    """One file for each run with the fields that inference-doctor reads from vLLM's."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, run in enumerate(runs):
        milliseconds = 1000 * run.succeeded
        result = {
            "endpoint_type": "openai",
            "backend": "openai",
            "model_id": "m",
            "num_prompts": run.values.size,
            "request_rate": "inf",
            "max_concurrency": 1,
            "completed": int(run.succeeded.size),
            "failed": run.failed,
            "request_throughput": 1.0,
            f"mean_{run.metric}_ms": float(milliseconds.mean()),
            f"median_{run.metric}_ms": float(np.median(milliseconds)),
            f"p99_{run.metric}_ms": float(np.quantile(milliseconds, 0.99)),
        }
        (folder / f"result-{number}.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def benchstat_like(baseline: list[Run], candidate: list[Run], _: Path) -> str:
    """The method of golang.org/x/perf/cmd/benchstat by SciPy: Mann and Whitney's test of the runs' figures, two-sided,
    alpha 5 %. It has no answer for no change: a difference that is not significant is "~"."""
    from scipy.stats import mannwhitneyu

    for figures in figures_of(baseline, candidate):
        before, after = figures
        # Exact without ties, as benchstat is. SciPy's other method serves counts of failures, which have ties.
        if set(before + after) != {0.0} and np.median(after) > np.median(before):
            if float(mannwhitneyu(before, after, method="auto").pvalue) <= 0.05:
                return "fail"
    return "undecided"


def otava(baseline: list[Run], candidate: list[Run], _: Path) -> str:
    """What ``otava analyze --magnitude M`` computes, on the runs of the baseline, then those of the candidate. A change
    for the worse anywhere is a failure. It has no answer for no change."""
    from otava.analysis import compute_change_points

    for before, after in figures_of(baseline, candidate):
        changes, _weak = compute_change_points(before + after, min_magnitude=ALLOWED)
        if any(change.stats.mean_2 > change.stats.mean_1 for change in changes):
            return "fail"
    return "undecided"


def figures_of(baseline: list[Run], candidate: list[Run]) -> list[tuple[list[float], list[float]]]:
    """For each figure, its values in the runs of each side: median, p99, failed requests."""

    def of(run: Run) -> tuple[float, float, float]:
        return float(np.median(run.succeeded)), float(np.quantile(run.succeeded, 0.99)), float(run.failed)

    sides = [[list(values) for values in zip(*map(of, runs), strict=True)] for runs in (baseline, candidate)]
    return list(zip(*sides, strict=True))
