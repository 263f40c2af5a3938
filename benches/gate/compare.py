"""Compares ``llmscope gate`` with inference-doctor, benchstat's method and Apache Otava on the same runs.

    cargo build --release -p llmscope-cli
    python benches/gate/compare.py [--trials N] [--program PATH] [--page docs/gate-peers.md] [--here]

If the current Python lacks the peers, the script creates a virtual environment in ``target/gate-venv``, installs
``requirements.txt`` there and continues in it. It prints the tables, or writes them between the markers of a page. The
runs have a fixed seed.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

SCRIPT = Path(__file__).resolve()
sys.path.insert(0, str(SCRIPT.parents[1] / "shared"))
from environment import ROOT, Environment, versions  # noqa: E402
from tables import markdown, positive, with_interval, with_tables  # noqa: E402

ENVIRONMENT = Environment("gate-venv", ("inference_doctor", "otava", "numpy", "scipy"), llmscope=False)
PROGRAM = ROOT / "target/release/llmscope"
LEVELS = (0.01, 0.05)
"""The levels of ``llmscope gate``: its default, and one nearer to those of the others."""
PACKAGES = ("inference-doctor", "apache-otava", "scipy", "numpy")


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares gates on the same runs.")
    parser.add_argument("--trials", type=positive, default=200, metavar="N", help="pairs of builds of a kind")
    parser.add_argument("--program", type=Path, default=PROGRAM, metavar="PATH", help="llmscope")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the tables between the markers of this page")
    parser.add_argument("--here", action="store_true", help="use the current environment as it is")
    return parser.parse_args()


if __name__ == "__main__":
    ENVIRONMENT.enter(SCRIPT, options().here)  # Before the imports below, which need it.

from scenarios import REQUESTS, SCENARIOS  # noqa: E402
from tools import Tool, benchstat_like, inference_doctor, llmscope, otava  # noqa: E402


def tools(program: Path) -> list[Tool]:
    """The tools in the order of the columns."""
    gates = [(f"`--max-shift 5%`, alpha {100 * alpha:g} %", partial(llmscope, program, alpha)) for alpha in LEVELS]
    return [
        *[Tool("llmscope gate", settings, answer) for settings, answer in gates],
        Tool("inference-doctor", "`--regression-percent 5`, 90 %", inference_doctor),
        Tool("benchstat's method", "Mann–Whitney, alpha 5 %", benchstat_like),
        Tool("Otava", "`--magnitude 0.05`, p 0.1 %", otava),
    ]


def main(chosen: argparse.Namespace) -> None:
    """Draws, asks and writes."""
    began = time.perf_counter()
    tasks = [(scenario, trial) for scenario in range(len(SCENARIOS)) for trial in range(chosen.trials)]
    counts = [[Counter[str]() for _ in tools(chosen.program)] for _ in SCENARIOS]
    with ProcessPoolExecutor() as pool:
        answers = pool.map(partial(answers_of, chosen.program), tasks, chunksize=10)
        for (scenario, _), given in zip(tasks, answers, strict=True):
            for counter, answer in zip(counts[scenario], given, strict=True):
                counter[answer] += 1
    tables = {
        "versions": stamp(chosen),
        "unchanged": table(counts, chosen.program, "unchanged"),
        "worse": table(counts, chosen.program, "worse"),
    }
    if chosen.page is None:
        print("\n\n".join(f"## {name}\n\n{text}" for name, text in tables.items()))
    else:
        chosen.page.write_text(with_tables(chosen.page.read_text(encoding="utf-8"), tables), encoding="utf-8")
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)


def answers_of(program: Path, task: tuple[int, int]) -> list[str]:
    """What each tool answers about one pair of builds."""
    scenario, trial = task
    baseline, candidate = SCENARIOS[scenario].draw(trial)
    with tempfile.TemporaryDirectory() as folder:
        return [tool.answer(baseline, candidate, Path(folder) / str(i)) for i, tool in enumerate(tools(program))]


def table(counts: list[list[Counter[str]]], program: Path, truth: str) -> str:
    """How often each tool fails and passes the builds of one kind; the rest is undecided."""
    rows = []
    for scenario, counters in zip(SCENARIOS, counts, strict=True):
        if scenario.truth == truth:
            rows.append([scenario.about, *map(cell, counters)])
    names = [f"{tool.name}<br>{tool.settings}" for tool in tools(program)]
    return markdown(["builds", *names], rows, text=1 + len(names))


def cell(counter: Counter[str]) -> str:
    """``fails 1.5 % (0.5 to 4.3), passes 84 %``."""
    count = counter.total()
    text = f"fails {with_interval(counter['fail'], count)}"
    return f"{text}, passes {100 * counter['pass'] / count:.0f} %" if counter["pass"] else text


def stamp(chosen: argparse.Namespace) -> str:
    """What the tables depend on."""
    program = subprocess.run([chosen.program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        f"Measured on {today}: {chosen.trials} pairs of builds in each line, {REQUESTS} requests in a run. "
        f"Versions: {program}, {versions(PACKAGES)}."
    )


if __name__ == "__main__":
    main(options())
