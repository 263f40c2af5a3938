"""Compares llmscope's search for changes with Apache Otava, ruptures and skchange, on the same series in one run.

    python benches/change_points/compare.py [--series N] [--page docs/change-points.md] [--here]

If the current Python lacks the peers, the script creates a virtual environment in ``target/change-point-venv``, installs
``requirements.txt`` and llmscope there and continues in it. It prints the tables, or writes them between the markers of
a page. The series have a fixed seed. N is the largest number of series of a kind; slow searches get fewer of the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

SCRIPT = Path(__file__).resolve()
sys.path.insert(0, str(SCRIPT.parents[1] / "shared"))
from environment import Environment, versions  # noqa: E402
from tables import positive, with_tables  # noqa: E402

ENVIRONMENT = Environment("change-point-venv", ("llmscope", "otava", "ruptures", "skchange"))


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares searches for changes on the same series.")
    parser.add_argument("--series", type=positive, default=200, metavar="N", help="series of a kind, at most")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the tables between the markers of this page")
    parser.add_argument("--here", action="store_true", help="use the current environment as it is")
    return parser.parse_args()


if __name__ == "__main__":
    ENVIRONMENT.enter(SCRIPT, options().here)  # Before the imports below, which need it.

import page  # noqa: E402
from detectors import DETECTORS, LEVELS, Detector, known_dependence  # noqa: E402
from oracle import Oracle  # noqa: E402
from score import Score  # noqa: E402
from series import KINDS, RHO, SEED, Kind, draw, nile  # noqa: E402

Scores = dict[tuple[int, int], Score]
PACKAGES = ("llmscope", "apache-otava", "ruptures", "skchange", "numpy", "scipy")
"""The packages that the tables depend on."""


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
            "versions": f"Versions: {versions(PACKAGES)}.",
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
        chosen.page.write_text(with_tables(chosen.page.read_text(encoding="utf-8"), tables), encoding="utf-8")
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


if __name__ == "__main__":
    main(options())
