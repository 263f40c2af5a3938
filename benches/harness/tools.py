"""The load generators under comparison: how to run each one, and how to read its results.

A tool that is not installed still has a line in the table.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizer import UNKNOWN, write_hub_cache, write_tokenizer
from truth import mean, quantile

PROMPT_TOKENS = 64


@dataclass(frozen=True)
class Load:
    """The task of a tool, and the folder that it may write to."""

    port: int
    streams: int
    requests: int
    tokens: int
    expected_s: float
    """The time that the mock needs for it."""
    folder: Path
    """An empty folder for this tool alone."""

    @property
    def url(self) -> str:
        """The mock's address, without the API version."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Reported:
    """The results that a tool reports."""

    requests: int
    ttft_mean_s: float | None
    ttft_p99_s: float | None
    itl_mean_s: float | None


@dataclass(frozen=True)
class Tool:
    """A load generator."""

    name: str
    binary: str
    arguments: Callable[[Load], Sequence[str]]
    read: Callable[[Load, str], Reported]
    """Reads the results from the tool's files and its stdout."""
    environment: Callable[[Load], Mapping[str, str]] = field(default=lambda load: {})
    large: bool = False
    """Whether it takes part in runs with a thousand streams."""

    def find(self, folders: Sequence[Path]) -> Path | None:
        """The program in one of the folders, or on the PATH."""
        for folder in folders:
            if (found := folder / self.binary).is_file():
                return found
        on_path = shutil.which(self.binary)
        return Path(on_path) if on_path else None


def llmscope_arguments(load: Load) -> list[str]:
    """The program of this project."""
    return [
        "bench",
        *("--vendor", "openai", "--url", f"{load.url}/v1", "--model", "m"),
        *("--requests", str(load.requests), "--concurrency", str(load.streams)),
        *("--prompt-tokens", str(PROMPT_TOKENS), "--output-tokens", str(load.tokens)),
        *("--warmup", "0", "-o", str(load.folder / "out.jsonl")),
    ]


def llmscope_read(load: Load, stdout: str) -> Reported:
    """One line for each request."""
    lines = map(json.loads, (load.folder / "out.jsonl").read_text(encoding="utf-8").splitlines())
    requests = [line for line in lines if line.get("kind") == "request" and line.get("ttft_s") is not None]
    return from_requests(
        [line["ttft_s"] for line in requests],
        [line["tpot_s"] for line in requests if line.get("tpot_s") is not None],
    )


def reference_arguments(load: Load) -> list[str]:
    """The lower bound."""
    return [
        *("--port", str(load.port), "--requests", str(load.requests), "--concurrency", str(load.streams)),
        *("--prompt-tokens", str(PROMPT_TOKENS), "--output-tokens", str(load.tokens)),
    ]


def reference_read(load: Load, stdout: str) -> Reported:
    """One JSON object."""
    result = json.loads(stdout)
    return Reported(result["requests"], result["ttft_mean_s"], result["ttft_p99_s"], result["itl_mean_s"])


def oha_arguments(load: Load) -> list[str]:
    """A generic HTTP load generator: it measures the first byte, but knows no tokens."""
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": " ".join([UNKNOWN] * PROMPT_TOKENS)}],
        "stream": True,
        "max_tokens": load.tokens,
    }
    return [
        *("-n", str(load.requests), "-c", str(load.streams), "-m", "POST", "-T", "application/json"),
        *("-d", json.dumps(body), "--no-tui", "--output-format", "csv", "-o", str(load.folder / "out.csv")),
        f"{load.url}/v1/chat/completions",
    ]


def oha_read(load: Load, stdout: str) -> Reported:
    """One line for each request."""
    with (load.folder / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "200"]
    # Until the first byte of the body. The first request of a connection includes the time to connect.
    return from_requests([float(row["Response-delay"]) for row in rows], [])


def aiperf_arguments(load: Load) -> list[str]:
    """With minimal output, and without server telemetry, which the mock does not offer."""
    return [
        "profile",
        *("-m", "m", "--url", load.url, "--endpoint-type", "chat", "--streaming"),
        *("--concurrency", str(load.streams), "--request-count", str(load.requests)),
        *("--isl", str(PROMPT_TOKENS), "--isl-stddev", "0", "--osl", str(load.tokens), "--osl-stddev", "0"),
        *("--tokenizer", tokenizer(load), "--use-server-token-count"),
        *("--export-level", "summary", "--artifact-dir", str(load.folder / "artifacts"), "--ui", "none"),
        *("--no-gpu-telemetry", "--no-server-metrics"),
    ]


def aiperf_read(load: Load, stdout: str) -> Reported:
    """Reads its summary."""
    result = read_json(load.folder / "artifacts" / "profile_export_aiperf.json")
    ttft, itl = result["time_to_first_token"], result["inter_token_latency"]
    return Reported(int(result["request_count"]["avg"]), ttft["avg"] / 1e3, ttft["p99"] / 1e3, itl["avg"] / 1e3)


def guidellm_arguments(load: Load) -> list[str]:
    """A closed loop; all answers count."""
    return [
        "run",
        *("--backend", f"kind=openai_http,target={load.url},model=m,request_format=/v1/chat/completions"),
        *("--profile", f"kind=concurrent,streams={load.streams}"),
        *("--constraint", f"kind=max_requests,count={load.requests}"),
        *("--tokenizer", f"kind=hf_auto,model={tokenizer(load)}"),
        *("--data", f"kind=synthetic_text,prompt_tokens={PROMPT_TOKENS},output_tokens={load.tokens}"),
        *("--output", f"kind=json,path={load.folder / 'out.json'}", "--disable-console"),
    ]


def guidellm_read(load: Load, stdout: str) -> Reported:
    """Reads its report."""
    metrics = read_json(load.folder / "out.json")["benchmarks"][0]["metrics"]
    ttft = metrics["time_to_first_token_ms"]["successful"]
    itl = metrics["inter_token_latency_ms"]["successful"]
    return Reported(
        metrics["request_totals"]["successful"],
        ttft["mean"] / 1e3,
        ttft["percentiles"]["p99"] / 1e3,
        itl["mean"] / 1e3,
    )


def vllm_arguments(load: Load) -> list[str]:
    """The benchmark that is part of the engine."""
    return [
        *("bench", "serve", "--backend", "openai-chat", "--base-url", load.url, "--endpoint", "/v1/chat/completions"),
        *("--model", "m", "--tokenizer", tokenizer(load), "--dataset-name", "random", "--ignore-eos"),
        *("--random-input-len", str(PROMPT_TOKENS), "--random-output-len", str(load.tokens)),
        *("--num-prompts", str(load.requests), "--max-concurrency", str(load.streams), "--disable-tqdm"),
        *("--percentile-metrics", "ttft,tpot", "--metric-percentiles", "99"),
        *("--save-result", "--result-dir", str(load.folder), "--result-filename", "out.json"),
    ]


def vllm_read(load: Load, stdout: str) -> Reported:
    """Reads its result. Its ITL is the gap between chunks, and its TPOT is the time between tokens."""
    result = read_json(load.folder / "out.json")
    return Reported(
        result["completed"],
        result["mean_ttft_ms"] / 1e3,
        result["p99_ttft_ms"] / 1e3,
        result["mean_tpot_ms"] / 1e3,
    )


def inference_benchmarker_arguments(load: Load) -> list[str]:
    """It runs for a duration instead of a number of requests."""

    def exactly(tokens: int) -> str:
        return f"num_tokens={tokens},min_tokens={tokens},max_tokens={tokens},variance=0"

    return [
        *("--tokenizer-name", "mock/words", "--dataset", "mock/prompts", "--dataset-file", "prompts.json"),
        *("--model-name", "m", "--url", load.url, "--no-console", "--benchmark-kind", "throughput"),
        *("--max-vus", str(load.streams), "--duration", f"{max(3, round(load.expected_s))}s", "--warmup", "1s"),
        *("--prompt-options", exactly(PROMPT_TOKENS), "--decode-options", exactly(load.tokens)),
    ]


def inference_benchmarker_environment(load: Load) -> Mapping[str, str]:
    """It loads files from a model hub, or from the hub's cache if they are there."""
    return {"HF_HOME": str(write_hub_cache(load.folder / "hub", PROMPT_TOKENS))}


def inference_benchmarker_read(load: Load, stdout: str) -> Reported:
    """Reads its last step. The step before it is the warm-up."""
    (path,) = (load.folder / "results").glob("*.json")
    result = read_json(path)["results"][-1]
    ttft = result["time_to_first_token_ms"]
    itl = result["inter_token_latency_ms"]
    return Reported(result["successful_requests"], ttft["avg"] / 1e3, ttft["p99"] / 1e3, itl["avg"] / 1e3)


def from_requests(ttft: Sequence[float], itl: Sequence[float]) -> Reported:
    """The results of a tool that reports each request."""
    if not ttft:
        raise ValueError("the tool reports no request")
    return Reported(len(ttft), mean(ttft), quantile(ttft, 0.99), mean(itl) if itl else None)


def tokenizer(load: Load) -> str:
    """Writes a tokenizer into the tool's folder and returns its path."""
    return str(write_tokenizer(load.folder / "words"))


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON file."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


OURS = Tool("llmscope", "llmscope", llmscope_arguments, llmscope_read, large=True)
REFERENCE = Tool("reference", "reference-client", reference_arguments, reference_read, large=True)
PEERS = [
    Tool("oha", "oha", oha_arguments, oha_read),
    Tool(
        "inference-benchmarker",
        "inference-benchmarker",
        inference_benchmarker_arguments,
        inference_benchmarker_read,
        inference_benchmarker_environment,
    ),
    Tool("vllm bench serve", "vllm", vllm_arguments, vllm_read),
    Tool("aiperf", "aiperf", aiperf_arguments, aiperf_read),
    Tool("guidellm", "guidellm", guidellm_arguments, guidellm_read),
]
