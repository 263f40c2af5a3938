"""Compares ``llmscope serve`` with a service like the previous one (FastAPI, uvicorn, sqlite3) in one run.

    cargo build --release -p llmscope-cli
    python benches/server/compare.py [--quick] [--only posts,kept,…] [--seconds 5] [--repeat 3] [--json FILE]

posts      POST /api/log from 1 to 256 connections, at equal durability: synchronous=FULL, then NORMAL
kept       the store has all acknowledged posts, counted one by one: after a normal end, and after a kill
batches    POST /api/v1/records, 1,000 requests each
listeners  posts while 0, 1 and 100 clients read the live events (the peer has no events)
reads      charts and analyses over stores of 10⁴ to 10⁶ requests; time from the start of the process to ready

The services run in turn, and each repetition runs all of them again, so that a slow phase of the machine affects both. A
ratio is that of one round. Needs ``wrk``. The script installs the peer into ``target/server-peer-venv``. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from load import Listeners, Load, Posters, ask, batches, fill, post, require_wrk, write_entries
from servers import HERE, Kind, Server, busy_s, count_rows, ours, peers

ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / "target" / "server-peer-venv"
PYTHON = ENVIRONMENT / "bin" / "python"
WARM_UP_S = 1
BATCH = 1000
DURABILITIES = ["full", "normal"]
READS = [
    ("/api/stats/spc?limit=20000", True),
    ("/api/data", True),
    ("/api/v1/analysis?limit=100000", False),
]
"""Each call, and whether the peer has it."""
QUIET = 0.2  # Processors that other programs may use when a round begins.


@dataclass(frozen=True)
class Row:
    """The results of one run of one service."""

    section: str
    case: str
    service: str
    figures: dict[str, float]


class Bench:
    """The shared state of all sections."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.rows: list[Row] = []
        self.number = 0
        self.ours = ours(options.llmscope)
        self.peers = peers(PYTHON)
        self.entries = folder / "entries.jsonl"
        write_entries(self.entries)

    def store(self) -> Path:
        """The path of a new store."""
        self.number += 1
        return self.folder / f"store-{self.number}.db"

    def run(
        self,
        section: str,
        case: str,
        kinds: Iterable[Kind],
        measure: Callable[[Kind], dict[str, float]],
        repeat: int | None = None,
    ) -> None:
        """Runs every service in turn, once for each repetition."""
        repeat = repeat or self.options.repeat
        for round_ in range(repeat):
            print(f"{section}: {case}, round {round_ + 1} of {repeat}", file=sys.stderr)
            for kind in kinds:
                wait_until_quiet(self.options.patience)
                self.rows.append(Row(section, case, kind.name, {**measure(kind), "load": os.getloadavg()[0]}))
                for file in self.folder.glob("store-*"):
                    file.unlink()


def main() -> int:
    """Runs the selected sections and prints tables."""
    # On SIGTERM, it still stops the processes that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    generator = require_wrk()
    if not options.llmscope.is_file():
        sys.exit(f"{options.llmscope} does not exist: run `cargo build --release -p llmscope-cli` first")
    install()
    before = os.getloadavg()[0]
    # In the build folder, because /tmp may be in memory, where a commit costs nothing.
    with tempfile.TemporaryDirectory(prefix="server-bench-", dir=ROOT / "target") as folder:
        flush = flush_ms(Path(folder))
        bench = Bench(options, Path(folder))
        for section in options.only:
            SECTIONS[section](bench)
            print("\n".join(["", *tables(bench, section)]), flush=True)
    print(f"\n{surroundings(options, generator, flush, before)}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in bench.rows], indent=1) + "\n", encoding="utf-8")
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    numbers = lambda text: [int(part) for part in text.split(",")]  # noqa: E731
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser = argparse.ArgumentParser(description="Compares the service with one like its predecessor.")
    parser.add_argument("--llmscope", type=Path, default=target / "llmscope", metavar="FILE", help="our program")
    parser.add_argument("--only", type=sections, default=list(SECTIONS), metavar="SECTION,…", help=", ".join(SECTIONS))
    parser.add_argument("--seconds", type=int, default=5, metavar="S", help="seconds of each run [default: 5]")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="rounds [default: 3]")
    parser.add_argument("--connections", type=numbers, default=[1, 16, 64, 256], metavar="N,…")
    parser.add_argument("--rows", type=numbers, default=[10_000, 100_000, 1_000_000], metavar="N,…", help="store sizes")
    parser.add_argument(
        "--patience", type=float, default=0.0, metavar="S", help="wait at most S seconds for other programs to be quiet"
    )
    parser.add_argument("--quick", action="store_true", help="one round of two seconds, without the store of 10⁶")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results of every run to this file")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.repeat, options.rows = 2, 1, [rows for rows in options.rows if rows < 1_000_000]
    return options


def sections(text: str) -> list[str]:
    """Parses names of sections."""
    chosen = text.split(",")
    if unknown := set(chosen) - set(SECTIONS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}: expected {', '.join(SECTIONS)}")
    return chosen


def install() -> None:
    """Creates the peer's environment, once for each version of its requirements."""
    wanted, done = (HERE / "requirements.txt").read_text(), ENVIRONMENT / "installed"
    if not done.exists() or done.read_text() != wanted:
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
        subprocess.run([*pip, str(HERE / "requirements.txt")], check=True)
        done.write_text(wanted)


# The sections.


def posts(bench: Bench) -> None:
    """One request for each call."""
    for durability in DURABILITIES:
        for connections in bench.options.connections:

            def measure(kind: Kind, durability: str = durability, connections: int = connections) -> dict[str, float]:
                with Server(kind, bench.store(), durability) as server:
                    return measured(bench, server, kind.log, bench.entries, connections, 1)

            case = f"{durability}, {connections} connections"
            bench.run("posts", case, [bench.ours, *bench.peers], measure)


def measured(
    bench: Bench, server: Server, path: str, bodies: Path, connections: int, each: int
) -> dict[str, float]:
    """Measures a load after a warm-up, and checks that the store has all acknowledged records."""
    warm = post(server, path, bodies, connections, WARM_UP_S)
    load = post(server, path, bodies, connections, bench.options.seconds)
    # At the end, wrk closes its connections. The service may store the last requests without an acknowledgement.
    time.sleep(0.3)
    rows, acknowledged = server.rows(), (warm.answered + load.answered) * each
    if not acknowledged <= rows <= acknowledged + 2 * connections * each:
        sys.exit(f"{server.kind.name} acknowledged {acknowledged} records, but its store has {rows}")
    return figures(load, each)


def figures(load: Load, each: int) -> dict[str, float]:
    """The results of a load, for each record if a call holds several."""
    return {**asdict(load), "per_s": load.per_s * each, "cpu_us": load.cpu_us / each}


def kept(bench: Bench) -> None:
    """The store has exactly the acknowledged records; after a kill, at least these."""
    bodies = bench.entries.read_text().splitlines()

    def measure(kind: Kind) -> dict[str, float]:
        clients, each = 16, 200
        store = bench.store()
        with Server(kind, store, "full") as server:
            acknowledged = Posters(server, bodies, clients, each).acknowledged()
            rows = server.rows()
        if not acknowledged == rows == clients * each:
            sys.exit(f"{kind.name} acknowledged {acknowledged} of {clients * each} records; its store has {rows}")
        store = bench.store()
        with Server(kind, store, "full") as server:
            posters = Posters(server, bodies, clients, 1_000_000)
            time.sleep(1.0)
            server.kill()
            killed = posters.acknowledged()
        after = count_rows(kind, store)
        if not 0 < killed <= after <= killed + clients:
            sys.exit(f"{kind.name} acknowledged {killed} records before the kill, but its store has {after}")
        return {"acknowledged": acknowledged, "rows": rows, "killed": killed, "after": after}

    bench.run("kept", "16 clients", [bench.ours, *bench.peers], measure)


def batched(bench: Bench) -> None:
    """A thousand requests for each call."""
    file = bench.folder / "batches.jsonl"
    file.write_bytes(b"\n".join(batches(20, BATCH, time.time(), 20 * 3600.0)) + b"\n")
    for connections in (1, 4):

        def measure(kind: Kind, connections: int = connections) -> dict[str, float]:
            with Server(kind, bench.store(), "full") as server:
                return measured(bench, server, "/api/v1/records", file, connections, BATCH)

        bench.run("batches", f"full, {connections} connections", [bench.ours, bench.peers[0]], measure)


def listeners(bench: Bench) -> None:
    """Posts while other clients read events."""
    for number in (0, 1, 100):

        def measure(kind: Kind, number: int = number) -> dict[str, float]:
            with Server(kind, bench.store(), "full") as server, Listeners(server, number) as listening:
                found = measured(bench, server, kind.log, bench.entries, 64, 1)
                seconds = WARM_UP_S + bench.options.seconds
                share = max(1, number) * seconds
                return {**found, "events": listening.events / share, "kb": listening.bytes / share / 1e3,
                        "lagged": listening.lagged}

        bench.run("listeners", f"{number} listeners", [bench.ours], measure)


def reads(bench: Bench) -> None:
    """Read calls on stores of several sizes."""
    for rows in bench.options.rows:

        def measure(kind: Kind, rows: int = rows) -> dict[str, float]:
            store = bench.store()
            with Server(kind, store, "normal") as server:
                fill(server, rows)
                found = {"filled_mb": server.memory_mb()}
                if (count := server.rows()) != rows:
                    sys.exit(f"the store of {kind.name} has {count} of {rows} records")
            found["file_mb"] = sum(file.stat().st_size for file in store.parent.glob(f"{store.name}*")) / 1e6
            starts = []
            for _ in range(3):
                with Server(kind, store, "full") as server:
                    starts.append(server.start_s)
            with Server(kind, store, "full") as server:
                found |= {"start_ms": 1e3 * statistics.median([*starts, server.start_s]), "idle_mb": server.memory_mb()}
                for path, is_common in READS:
                    if is_common or kind is bench.ours:
                        took, length = ask(server, path, 7)
                        found |= {path: 1e3 * statistics.median(took), f"{path} MB": length / 1e6}
                found["read_mb"] = server.memory_mb()
            return found

        # Once, because a store takes long to fill and each call is repeated anyway.
        bench.run("reads", f"{rows:,} requests", [bench.ours, bench.peers[0]], measure, repeat=1)


def wait_until_quiet(patience_s: float) -> None:
    """Waits until other programs leave the processors idle, up to a limit."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        began, busy = time.monotonic(), busy_s()
        time.sleep(0.5)
        if (busy_s() - busy) / (time.monotonic() - began) < QUIET:
            return


def flush_ms(folder: Path) -> tuple[float, float]:
    """The time that this disk takes to flush 4 KiB: median and 99th percentile."""
    took = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(300):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(1e3 * (time.perf_counter() - began))
    return statistics.median(took), sorted(took)[-3]


SECTIONS = {"posts": posts, "kept": kept, "batches": batched, "listeners": listeners, "reads": reads}

# Output.

Column = tuple[str, str, str]
LOAD: list[Column] = [
    ("p50 ms", "p50_ms", ".2f"),
    ("p99 ms", "p99_ms", ".2f"),
    ("CPU µs each", "cpu_us", ".1f"),
    ("RSS MB", "memory_mb", ".0f"),
    ("refused", "refused", ".0f"),
    ("wrk CPU", "wrk_cpu", ".2f"),
    ("others' CPU", "others_cpu", ".2f"),
]
COLUMNS: dict[str, list[Column]] = {
    "posts": [("req/s", "per_s", ",.0f"), *LOAD],
    "kept": [
        ("acknowledged", "acknowledged", ",.0f"),
        ("rows", "rows", ",.0f"),
        ("acknowledged, then killed", "killed", ",.0f"),
        ("rows then", "after", ",.0f"),
    ],
    "batches": [("records/s", "per_s", ",.0f"), *LOAD],
    "listeners": [
        ("req/s", "per_s", ",.0f"),
        *LOAD,
        ("events/s each", "events", ".1f"),
        ("kB/s each", "kb", ".1f"),
        ("lagged", "lagged", ".0f"),
    ],
    "reads": [
        ("start ms", "start_ms", ".0f"),
        *((f"{path} ms", path, ".1f") for path, _ in READS),
        *((f"{path.partition('?')[0]} MB", f"{path} MB", ".1f") for path, _ in READS),
        ("RSS MB at start", "idle_mb", ".0f"),
        ("after reads", "read_mb", ".0f"),
        ("after filling", "filled_mb", ".0f"),
        ("file MB", "file_mb", ".0f"),
    ],
}
RATIOS: dict[str, list[tuple[str, str, bool]]] = {
    "posts": [("req/s", "per_s", True), ("p50", "p50_ms", False), ("p99", "p99_ms", False), ("CPU", "cpu_us", False)],
    "batches": [("records/s", "per_s", True), ("p50", "p50_ms", False), ("p99", "p99_ms", False),
                ("CPU", "cpu_us", False)],
    "reads": [("start", "start_ms", False), *((path, path, False) for path, is_common in READS if is_common)],
}
"""For each section: title, figure, and whether a greater value is better."""


def tables(bench: Bench, section: str) -> list[str]:
    """The results of a section as medians with their range, and how many times better llmscope is than the peer."""
    own = [row for row in bench.rows if row.section == section]
    cases = list(dict.fromkeys(row.case for row in own))
    services = list(dict.fromkeys(row.service for row in own))
    of = lambda case, service: [r.figures for r in own if (r.case, r.service) == (case, service)]  # noqa: E731
    lines = [
        [case, service, *(cell([run[key] for run in of(case, service) if key in run], spec)
                          for _, key, spec in COLUMNS[section])]
        for case in cases for service in services
    ]
    parts = [markdown([section, "", *(title for title, _, _ in COLUMNS[section])], lines)]
    if section in RATIOS:
        ratios = [
            [case, service, *(cell([better(mine[key], its[key], more)
                                    for mine, its in zip(of(case, services[0]), of(case, service), strict=True)], ".1f")
                              for _, key, more in RATIOS[section])]
            for case in cases for service in services[1:]
        ]
        header = ["times better than", "", *(title for title, _, _ in RATIOS[section])]
        parts += ["", markdown(header, ratios)]
    return parts


def better(mine: float, its: float, more: bool) -> float:
    """How many times better llmscope is."""
    return mine / its if more else its / mine


def cell(values: Sequence[float], spec: str) -> str:
    """The median and range."""
    if not values:
        return "—"
    middle, low, high = (format(value, spec) for value in (statistics.median(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low}..{high})"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def surroundings(options: argparse.Namespace, generator: str, flush: tuple[float, float], before: float) -> str:
    """The conditions of the measurement."""
    program = subprocess.run([options.llmscope, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    freeze = [str(PYTHON), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    installed = subprocess.run(freeze, capture_output=True, text=True, check=True).stdout.split()
    wanted = ("fastapi", "uvicorn", "pydantic", "uvloop", "httptools")
    versions = ", ".join(part.replace("==", " ") for part in installed if part.partition("==")[0] in wanted)
    return (
        f"{program}; {versions}, Python {platform.python_version()}, its SQLite {sqlite3.sqlite_version}; {generator}.\n"
        f"{os.cpu_count()} logical processors, which wrk and the service share; {platform.system()} "
        f"{platform.release()}; the disk takes {flush[0]:.2f} ms (p99 {flush[1]:.2f}) for a flush of 4 KiB; load "
        f"{before:.1f} before, {os.getloadavg()[0]:.1f} after; {time.strftime('%Y-%m-%d %H:%M')}.\n"
        f"Median (minimum..maximum) of {options.repeat} rounds of {options.seconds} s, each on a new store after a "
        f"warm-up of {WARM_UP_S} s. Latency is that of saturated connections, with wrk's correction: a pause counts for "
        "the requests that it delayed. Below saturation, latency is lower. Others' CPU: processors that other programs "
        "used.\n"
        "The peer only stores and answers. llmscope also judges every value by eight rules as it arrives, in the same "
        "transaction. With one connection, both services wait for one flush after another, so the disk determines the "
        "ratio.\n"
        "Not measured: a network, a loss of power, TLS, other disks, more processors."
    )


if __name__ == "__main__":
    sys.exit(main())
