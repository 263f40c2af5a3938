"""Compares llmscope's search for changes with Apache Otava, ruptures and skchange, on the same series in one run.

    python benches/change_points/compare.py [--series N] [--page docs/change-points.md] [--here]

If the current Python lacks the peers, the script creates a virtual environment in ``target/change-point-venv``, installs
``requirements.txt`` and llmscope there and continues in it. It prints the tables, or writes them between the markers of
a page. The series have a fixed seed. N is the largest number of series of a kind; slow searches get fewer of the same.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
import time
import venv
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / "target" / "change-point-venv"
NEEDED = ("llmscope", "otava", "ruptures", "skchange")


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares searches for changes on the same series.")
    parser.add_argument("--series", type=positive, default=200, metavar="N", help="series of a kind, at most")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the tables between the markers of this page")
    parser.add_argument("--here", action="store_true", help="use the current environment as it is")
    return parser.parse_args()


def positive(text: str) -> int:
    """An integer of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"invalid number {number}: expected at least 1")
    return number


def enter_environment(here: bool) -> None:
    """Continues in the peers' environment, unless this one has the peers or ``--here`` is set."""
    if here or all(importlib.util.find_spec(name) for name in NEEDED):
        return
    venv.EnvBuilder(with_pip=True).create(ENVIRONMENT)
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", str(HERE / "requirements.txt")], check=True)
    subprocess.run([*install, str(ROOT / "llmscope-py")], check=True)
    sys.exit(subprocess.run([python, __file__, *sys.argv[1:], "--here"]).returncode)


if __name__ == "__main__":
    enter_environment(options().here)  # Before the imports below, which need it.

import page  # noqa: E402
from detectors import DETECTORS, LEVELS, Detector, known_dependence  # noqa: E402
from oracle import Oracle  # noqa: E402
from score import Score  # noqa: E402
from series import KINDS, RHO, SEED, Kind, draw, nile  # noqa: E402

Scores = dict[tuple[int, int], Score]


def main(chosen: argparse.Namespace) -> None:
    """Searches, scores and writes."""
    began = time.perf_counter()
    tasks = [(i, k) for i, detector in enumerate(DETECTORS) for k, kind in enumerate(KINDS) if detector.gets(kind)]
    # The slowest first, so that no processor waits for them at the end.
    tasks.sort(key=lambda task: DETECTORS[task[0]].series)
    with ProcessPoolExecutor() as pool:
        oracle = pool.submit(oracle_recalls)
        jobs = {task: pool.submit(scored, *task, chosen.series) for task in tasks}
        scores = {task: job.result() for task, job in jobs.items()}
        tables = {
            "versions": versions(),
            "stable": page.stable(DETECTORS, scores),
            "changed": page.changed(DETECTORS, scores),
            "stretches": page.stretches(DETECTORS, scores),
            "dependence": page.dependence(known(chosen.series), oracle.result()),
            "nile": page.nile(DETECTORS, [years(detector) for detector in DETECTORS]),
            "time": page.milliseconds(DETECTORS, scores),
            "series": page.kinds(),
        }
    if chosen.page is None:
        print("\n\n".join(f"## {name}\n\n{table}" for name, table in tables.items()))
    else:
        chosen.page.write_text(page.with_tables(chosen.page.read_text(encoding="utf-8"), tables), encoding="utf-8")
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)


def scored(detector: int, kind: int, most: int) -> Score:
    """The score of a search on the series of a kind."""
    return score_of(DETECTORS[detector], KINDS[kind], most)


def score_of(detector: Detector, kind: Kind, most: int) -> Score:
    """The same, by themselves."""
    series = draw(kind, min(detector.series, most))
    detector.find(series[0][0])  # Not timed: it imports the package.
    score = Score()
    for values, truth in series:
        began = time.process_time()
        found = detector.find(values)
        score.add(found, truth, time.process_time() - began)
    return score


def known(most: int) -> list[tuple[str, Score, Score]]:
    """For each level, the scores on the two correlated steps without and with a known V."""
    kind = next(kind for kind in KINDS if kind.group == "changed" and kind.inflation > 1)
    return [
        (detector.level, score_of(detector, kind, most), score_of(known_dependence(level, kind), kind, most))
        for level, detector in zip(LEVELS, DETECTORS, strict=False)
    ]


def oracle_recalls() -> tuple[float, list[float]]:
    """The recall of the oracle on the same steps, without a test and at each level."""
    return Oracle(RHO).recalls(LEVELS, SEED)


def years(detector: Detector) -> list[int]:
    """The years in which a search finds a change of the Nile's flow."""
    values, first, _ = nile()
    return [first + at for at in detector.find(values)]


def versions() -> str:
    """The versions that the tables depend on."""
    packages = ["llmscope", "apache-otava", "ruptures", "skchange", "numpy", "scipy"]
    named = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    return f"Versions: {named}; {platform.python_implementation()} {platform.python_version()}."


if __name__ == "__main__":
    main(options())
