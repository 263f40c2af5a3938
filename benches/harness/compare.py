"""Compares the errors and costs of load generators, against an endpoint that reports its exact times.

    cargo build --release -p llmscope-benches -p llmscope-cli
    python benches/harness/compare.py --peer-env ENV [--quick] [--repeat 3] [--json FILE]

For each number of streams it runs every tool in turn, and repeats the whole round, so that a slow phase of the machine
affects all tools. The endpoint sends the first token after 100 ms and then one every 10 ms. It timestamps each chunk
when the write returns. An error is the tool's result minus the endpoint's time of the same requests.

Linux only. For meaningful results, run it as root (the endpoint gets a high priority) on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from process import Run, run
from tools import OURS, PEERS, REFERENCE, Load, Reported, Tool
from truth import Mock, Truth

ROOT = Path(__file__).resolve().parents[2]
STREAMS = [1, 16, 64, 256, 1_000]
LARGE = 1_000  # From this number of streams on, only tools built for it take part.
TIMEOUT_S = 300.0
LEAST_ITL_S = 1e-4  # Below this, the endpoint sends at full speed, and a relative error has no meaning.


@dataclass(frozen=True)
class Figures:
    """The results of one run of one tool."""

    tool: str
    streams: int
    requests: int
    ttft_mean_error_ms: float | None
    ttft_p99_error_ms: float | None
    itl_error_percent: float | None
    requests_per_s: float
    ratio: float | None
    """Requests per second, divided by those of the reference client in the same round."""
    cpu_s_per_1000: float
    """From the first request to the end of the last answer, for all processes."""
    startup_s: float
    """From the start of the program to its first request."""
    startup_cpu_s: float
    memory_mb: float
    connections: int
    mock_late_p99_ms: float
    """How late the mock itself was after its deadlines."""
    load: float
    """Processes that ran or waited for a processor in the minute before the run."""


@dataclass(frozen=True)
class Failure:
    """A tool without results, and the reason."""

    tool: str
    streams: int
    why: str


def options() -> argparse.Namespace:
    """The command line."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser = argparse.ArgumentParser(description="Measures load generators with an endpoint of known times.")
    parser.add_argument("--llmscope", type=Path, default=target / OURS.binary, metavar="FILE", help="our program")
    parser.add_argument("--benches", type=Path, default=target, metavar="DIR", help="folder of mock and reference")
    parser.add_argument(
        "--peer-env",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a virtual environment or another folder with peers in bin/; repeatable",
    )
    parser.add_argument("--only", type=names, metavar="TOOL,…", help="only these tools, and the reference")
    parser.add_argument("--streams", type=numbers, default=STREAMS, metavar="N,…", help="numbers of streams")
    parser.add_argument("--quick", action="store_true", help="16 and 64 streams only")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each tool [default: 3]")
    parser.add_argument("--ttft-ms", type=float, default=100.0, help="time to first token [default: 100]")
    parser.add_argument("--itl-ms", type=float, default=10.0, help="time between tokens [default: 10]")
    parser.add_argument("--tokens", type=int, default=64, metavar="N", help="tokens of an answer [default: 64]")
    parser.add_argument("--role-chunk-first", action="store_true", help="first send a chunk with only a role")
    parser.add_argument(
        "--tokens-per-chunk",
        type=int,
        default=1,
        metavar="N",
        help="tokens in each chunk [default: 1]; with more, the reference reports the time between chunks",
    )
    parser.add_argument("--mock-nice", type=int, default=-10, metavar="N", help="priority of the mock [default: -10]")
    parser.add_argument("--client-nice", type=int, default=-5, metavar="N", help="priority of tools [default: -5]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results of every run to this file")
    return parser.parse_args()


def names(text: str) -> list[str]:
    """Parses names of tools."""
    known = [tool.name for tool in (OURS, *PEERS)]
    chosen = text.split(",")
    if unknown := set(chosen) - set(known):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}: expected {', '.join(known)}")
    return chosen


def numbers(text: str) -> list[int]:
    """Parses integers."""
    return [int(part) for part in text.split(",")]


def main(chosen: argparse.Namespace) -> None:
    """Runs everything and prints the table."""
    raise_file_limit()
    found = installed(chosen)
    mock_binary = chosen.benches / "mock-endpoint"
    if not mock_binary.is_file() or REFERENCE.name not in found:
        sys.exit(f"no mock-endpoint in {chosen.benches}: run `cargo build --release -p llmscope-benches` first")

    loads_before = os.getloadavg()
    figures: list[Figures] = []
    failures: list[Failure] = []
    pace = ["--ttft-ms", str(chosen.ttft_ms), "--itl-ms", str(chosen.itl_ms)]
    pace += ["--tokens-per-chunk", str(chosen.tokens_per_chunk), *["--role-chunk-first"] * chosen.role_chunk_first]
    with Mock(mock_binary, pace, chosen.mock_nice) as mock:
        for streams in [16, 64] if chosen.quick else chosen.streams:
            for number in range(chosen.repeat):
                print(f"{streams} streams, round {number + 1} of {chosen.repeat}", file=sys.stderr)
                one_round(chosen, mock, found, streams, figures, failures)

    print(table(chosen, found, figures, failures))
    print(f"\n{surroundings(chosen, loads_before)}")
    if chosen.json:
        document = {"runs": [asdict(row) for row in figures], "failures": [asdict(row) for row in failures]}
        chosen.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def installed(chosen: argparse.Namespace) -> dict[str, Path]:
    """The tools that take part. The reference is first, because the others are compared with it."""
    peers = [folder.resolve() / "bin" for folder in chosen.peer_env]
    folders = {REFERENCE.name: [chosen.benches.resolve()], OURS.name: []}
    found = {}
    for tool in (REFERENCE, OURS, *PEERS):
        if tool is not REFERENCE and chosen.only and tool.name not in chosen.only:
            continue
        path = chosen.llmscope.resolve() if tool is OURS else tool.find(folders.get(tool.name, peers))
        if path and path.is_file():
            found[tool.name] = path
    return found


def one_round(
    chosen: argparse.Namespace,
    mock: Mock,
    found: dict[str, Path],
    streams: int,
    figures: list[Figures],
    failures: list[Failure],
) -> None:
    """Runs every tool once."""
    reference: Figures | None = None
    for tool in (REFERENCE, OURS, *PEERS):
        failed = any(failure.tool == tool.name and failure.streams == streams for failure in failures)
        if tool.name not in found or failed or (streams >= LARGE and not tool.large):
            continue
        outcome = one_run(chosen, mock, tool, found[tool.name], streams, reference)
        if isinstance(outcome, Failure):
            print(f"{tool.name}: {outcome.why}", file=sys.stderr)
            failures.append(outcome)
            continue
        figures.append(outcome)
        if tool is REFERENCE:
            reference = outcome


def one_run(
    chosen: argparse.Namespace, mock: Mock, tool: Tool, binary: Path, streams: int, reference: Figures | None
) -> Figures | Failure:
    """Runs one tool once. A failure becomes a line of the table, so that the other results are kept."""
    requests = requests_for(streams)
    answer_s = (chosen.ttft_ms + chosen.itl_ms * (chosen.tokens - 1)) / 1e3
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        load = Load(mock.port, streams, requests, chosen.tokens, answer_s * requests / streams, Path(folder))
        environment = {"OPENAI_API_KEY": "mock", "NO_COLOR": "1", **tool.environment(load)}
        minute = os.getloadavg()[0]
        mock.reset()
        command = [str(binary), *tool.arguments(load)]
        done = run(command, environment, load.folder, chosen.client_nice, TIMEOUT_S, {mock.process.pid})
        if done.ended - done.began > TIMEOUT_S:
            return Failure(tool.name, streams, f"stopped after {TIMEOUT_S:.0f} s: {last_line(done.output)}")
        if done.returncode != 0:
            return Failure(tool.name, streams, f"exit status {done.returncode}: {last_line(done.output)}")
        try:
            reported = tool.read(load, done.stdout)
            truth = mock.truth(reported.requests)
        except Exception as error:
            return Failure(tool.name, streams, f"{type(error).__name__}: {error}; {last_line(done.output)}")
    return figures_of(tool, streams, done, reported, truth, reference, minute)


def requests_for(streams: int) -> int:
    """The number of requests: a multiple of the streams, enough for a 99th percentile, and few enough to repeat."""
    return streams * (12 if streams == 1 else 6 if streams < 256 else 4)


def figures_of(
    tool: Tool,
    streams: int,
    done: Run,
    reported: Reported,
    truth: Truth,
    reference: Figures | None,
    minute: float,
) -> Figures:
    """Compares the results of a tool with the true times."""

    def error_ms(reported: float | None, true: float) -> float | None:
        return (reported - true) * 1e3 if reported is not None else None

    itl = reported.itl_mean_s if truth.itl_mean_s >= LEAST_ITL_S else None
    startup_cpu_s = done.cpu_until(truth.began)
    return Figures(
        tool=tool.name,
        streams=streams,
        requests=truth.requests,
        ttft_mean_error_ms=error_ms(reported.ttft_mean_s, truth.ttft_mean_s),
        ttft_p99_error_ms=error_ms(reported.ttft_p99_s, truth.ttft_p99_s),
        itl_error_percent=(itl / truth.itl_mean_s - 1) * 100 if itl is not None else None,
        requests_per_s=truth.requests_per_s,
        ratio=truth.requests_per_s / reference.requests_per_s if reference else 1.0 if tool is REFERENCE else None,
        cpu_s_per_1000=(done.cpu_until(truth.ended) - startup_cpu_s) / truth.requests * 1_000,
        startup_s=truth.began - done.began,
        startup_cpu_s=startup_cpu_s,
        memory_mb=done.peak_memory_mb,
        connections=truth.connections,
        mock_late_p99_ms=truth.late_p99_s * 1e3,
        load=minute,
    )


# Output.

COLUMNS: list[tuple[str, Callable[[Figures], float | None], str]] = [
    ("mean TTFT error ms", lambda row: row.ttft_mean_error_ms, "+.2f"),
    ("p99 TTFT error ms", lambda row: row.ttft_p99_error_ms, "+.1f"),
    ("mean ITL error %", lambda row: row.itl_error_percent, "+.2f"),
    ("req/s", lambda row: row.requests_per_s, ".1f"),
    ("of reference", lambda row: row.ratio, ".3f"),
    ("CPU-s per 1,000", lambda row: row.cpu_s_per_1000, ".2f"),
    ("start-up s", lambda row: row.startup_s, ".2f"),
    ("peak MB", lambda row: row.memory_mb, ".0f"),
    ("connections", lambda row: row.connections, ".0f"),
    ("mock late ms", lambda row: row.mock_late_p99_ms, ".0f"),
    ("load", lambda row: row.load, ".1f"),
]


def table(
    chosen: argparse.Namespace, found: dict[str, Path], figures: Sequence[Figures], failures: Sequence[Failure]
) -> str:
    """All tools by streams, with the median and range of the runs."""
    rows = [["tool", "streams", *(title for title, _, _ in COLUMNS)]]
    for streams in sorted({row.streams for row in figures} | {row.streams for row in failures}):
        for tool in (REFERENCE, OURS, *PEERS):
            if (chosen.only and tool.name not in (REFERENCE.name, *chosen.only)) or tool.name not in found:
                continue
            runs = [row for row in figures if row.tool == tool.name and row.streams == streams]
            if runs:
                rows.append([tool.name, str(streams), *(cell(map(read, runs), spec) for _, read, spec in COLUMNS)])
            for failure in failures:
                if failure.tool == tool.name and failure.streams == streams:
                    rows.append([tool.name, str(streams), failure.why.replace("|", "/"), *[""] * (len(COLUMNS) - 1)])
    for tool in (OURS, *PEERS):
        if tool.name not in found and not (chosen.only and tool.name not in chosen.only):
            rows.append([tool.name, "—", "not installed", *[""] * (len(COLUMNS) - 1)])
    return markdown(rows[0], rows[1:])


def cell(values: Iterable[float | None], spec: str) -> str:
    """The median and range."""
    known = [value for value in values if value is not None]
    if not known:
        return "—"
    if len(known) == 1:
        return format(known[0], spec)
    middle, low, high = (format(value, spec) for value in (median(known), min(known), max(known)))
    return middle if low == high else f"{middle} ({low}..{high})"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def surroundings(chosen: argparse.Namespace, before: tuple[float, float, float]) -> str:
    """The conditions of the measurement."""
    role = ", a role first" if chosen.role_chunk_first else ""
    return (
        f"Mock: TTFT {chosen.ttft_ms:g} ms, ITL {chosen.itl_ms:g} ms, {chosen.tokens} tokens, "
        f"{chosen.tokens_per_chunk} a chunk{role}; its own lateness is the 99th percentile of each request's latest "
        f"chunk. Median (minimum..maximum) of {chosen.repeat} runs. Memory: PSS, or else RSS.\n"
        f"{os.cpu_count()} logical processors, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load {before[0]:.1f} before, {os.getloadavg()[0]:.1f} after; "
        f"{time.strftime('%Y-%m-%d %H:%M')}."
    )


def last_line(text: str) -> str:
    """The last line of a program's output, short enough for a table."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:120] if lines else "no output"


def raise_file_limit() -> None:
    """A thousand streams need more descriptors than a shell's limit. Child processes inherit the higher limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main(options())
