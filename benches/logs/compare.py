"""Compares LLMscope with DuckDB and polars: each reads the same large log by group, in one run.

    cargo build --release -p llmscope-benches -p llmscope-cli
    python benches/logs/compare.py [--megabytes 1000] [--form jsonl|csv] [--repeat 5] [--json FILE]

The task: number, mean and standard deviation of two columns by model. ``analyze`` then does the whole study of the same
two columns and models (charts of every point, eight rules, quantiles, normality), which the peers do not offer. The
results must agree before the timing starts. The script installs the peers into ``target/log-peer-venv``. Linux only:
processor seconds and the maximum resident memory of each process come from ``wait4``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / "target" / "log-peer-venv"
RELEASE = ROOT / "target" / "release"
MODELS = ["llama-3.3-70b", "qwen3-32b", "gemma3-4b", "mistral-small", "phi-4"]
COLUMNS = ["ttft_s", "e2e_s"]
DIFFERENT = 1e-9  # If two results differ by more, relatively, the tools do not do the same work.

DUCKDB = """
import duckdb, json, sys
read = "read_ndjson" if sys.argv[1].endswith("l") else "read_csv"
rows = duckdb.sql(f"select model, count(ttft_s), avg(ttft_s), stddev_samp(ttft_s), avg(e2e_s), stddev_samp(e2e_s) "
                  f"from {read}('{sys.argv[1]}') group by model").fetchall()
print(json.dumps({row[0]: row[1:] for row in rows}))
"""
POLARS = """
import json, sys
import polars as pl
scan = pl.scan_ndjson if sys.argv[1].endswith("l") else pl.scan_csv
x, y = pl.col("ttft_s"), pl.col("e2e_s")
rows = scan(sys.argv[1]).group_by("model").agg(
    n=x.count(), a=x.mean(), b=x.std(), c=y.mean(), d=y.std()).collect(engine="streaming").rows()
print(json.dumps({row[0]: row[1:] for row in rows}))
"""

Answer = dict[str, Sequence[float]]


@dataclass(frozen=True)
class Cost:
    """The cost of a run."""

    wall_s: float
    cpu_s: float
    memory_mb: float


@dataclass(frozen=True)
class Tool:
    """A program that reads the log."""

    name: str
    command: Callable[[Path], list[str]]
    answer: Callable[[str], Answer] | None
    """Reads the results from its output; ``None`` if it does more than the task."""


def python(script: str) -> Callable[[Path], list[str]]:
    """Runs a peer's script in the peers' environment."""
    return lambda log: [str(ENVIRONMENT / "bin" / "python"), "-c", script, str(log)]


def ours(output: str) -> Answer:
    """Reads the lines of ``group-log``."""
    answer: dict[str, list[float]] = {}
    for line in output.splitlines():
        found = json.loads(line)
        numbers = answer.setdefault(found["group"], [found["n"]])
        numbers += [found["mean"], found["sd"]]
    return answer


TOOLS = [
    Tool("llmscope", lambda log: [str(RELEASE / "group-log"), str(log), "model", *COLUMNS], ours),
    Tool("DuckDB", python(DUCKDB), json.loads),
    Tool("polars", python(POLARS), json.loads),
    Tool(
        "llmscope analyze",
        lambda log: [
            *(str(RELEASE / "llmscope"), "analyze", str(log), "--by", "model", "--json", "-o", os.devnull),
            *(word for column in COLUMNS for word in ("--column", column)),
        ],
        None,
    ),
]


def main() -> int:
    """Runs the tools and prints a table."""
    options = arguments()
    install()
    log = ROOT / "target" / f"log-{options.megabytes}.{options.form}"
    if not log.exists():
        write(log, options.megabytes * 1_000_000)
    size = log.stat().st_size
    print(f"{log.name}: {size / 1e6:.0f} MB; {platform.processor() or platform.machine()}, {os.cpu_count()} processors")
    answers = {tool.name: tool.answer(run(tool, log)[1]) for tool in TOOLS if tool.answer}
    for name, answer in answers.items():
        agree(name, answer, answers["llmscope"])
    costs: dict[str, list[Cost]] = {tool.name: [] for tool in TOOLS}
    for _ in range(options.repeat):
        for tool in TOOLS:
            costs[tool.name].append(run(tool, log)[0])
    best = {name: Cost(*(min(getattr(cost, field) for cost in each) for field in Cost.__annotations__))
            for name, each in costs.items()}
    print(f"load before the runs {options.load:.1f}, after {os.getloadavg()[0]:.1f}; the minimum of {options.repeat} runs\n")
    table(best)
    if options.json:
        rows = {name: [asdict(cost) for cost in each] for name, each in costs.items()}
        options.json.write_text(json.dumps({"bytes": size, "form": options.form, "runs": rows}, indent=1))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares LLMscope with DuckDB and polars on a large log.")
    parser.add_argument("--megabytes", type=int, default=1_000, help="size of the log")
    parser.add_argument("--form", choices=["jsonl", "csv"], default="jsonl")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write every run to this file")
    return parser.parse_args(namespace=argparse.Namespace(load=os.getloadavg()[0]))


def install() -> None:
    """Creates the peers' environment, once."""
    if not (ENVIRONMENT / "installed").exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r"]
        subprocess.run([*pip, str(HERE / "requirements.txt")], check=True)
        (ENVIRONMENT / "installed").touch()


def write(log: Path, size: int) -> None:
    """Writes a log like that of a gateway: one request a line, with more fields than the task needs."""
    random.seed(1)
    written, index = 0, 0
    partial = log.with_suffix(".partial")
    with partial.open("w") as file:
        if log.suffix == ".csv":
            file.write("request_id,timestamp,model,route,status,ttft_s,e2e_s,input_tokens,output_tokens,user\n")
        while written < size:
            model = MODELS[int(random.random() * len(MODELS))]
            ttft_s = math.exp(random.gauss(-1.5, 0.4))
            e2e_s = ttft_s + 0.012 * random.randrange(16, 512)
            second, milli = divmod(index * 17, 1000)
            at = f"2026-11-{1 + second // 86400:02}T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{milli:03}Z"
            tokens = random.randrange(16, 4096), random.randrange(16, 512)
            request, user = f"req-{index:012x}", f"user-{index * 7919 % 10007}"
            if log.suffix == ".csv":
                line = f"{request},{at},{model},/v1/chat/completions,200,{ttft_s},{e2e_s},{tokens[0]},{tokens[1]},{user}\n"
            else:
                line = (
                    f'{{"request_id":"{request}","timestamp":"{at}","model":"{model}","route":"/v1/chat/completions",'
                    f'"status":200,"ttft_s":{ttft_s},"e2e_s":{e2e_s},"usage":{{"input_tokens":{tokens[0]},'
                    f'"output_tokens":{tokens[1]}}},"user":"{user}","stream":true,"cache_hit":false}}\n'
                )
            written += file.write(line)
            index += 1
    partial.rename(log)


def run(tool: Tool, log: Path) -> tuple[Cost, str]:
    """Runs a tool once."""
    began = time.perf_counter()
    process = subprocess.Popen(tool.command(log), stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    # Exit status 1 of a study means that it found signals.
    if process.returncode not in ((0,) if tool.answer else (0, 1)):
        sys.exit(f"{tool.name} failed with {process.returncode}")
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), output


def agree(name: str, answer: Answer, expected: Answer) -> None:
    """Stops if the results of two tools differ."""
    close = lambda pair: math.isclose(*pair, rel_tol=DIFFERENT)  # noqa: E731
    if answer.keys() != expected.keys() or not all(
        all(map(close, zip(answer[model], expected[model], strict=True))) for model in expected
    ):
        sys.exit(f"{name} gives other results: {answer}, expected {expected}")


def table(best: dict[str, Cost]) -> None:
    """Prints the costs, and LLMscope's divided by each peer's."""
    base = best["llmscope"]
    print(f"{'':22} {'wall s':>8} {'CPU s':>8} {'MB':>7} {'llmscope/wall':>14} {'llmscope/CPU':>13}")
    for name, cost in best.items():
        ratios = f"{base.wall_s / cost.wall_s:14.2f} {base.cpu_s / cost.cpu_s:13.2f}"
        print(f"{name:22} {cost.wall_s:8.2f} {cost.cpu_s:8.2f} {cost.memory_mb:7.0f} {ratios}")


if __name__ == "__main__":
    sys.exit(main())
