"""The tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import series
from detectors import Detector
from score import Score
from series import KINDS
from tables import markdown, percent, with_interval

Scores = dict[tuple[int, int], Score]


def stable(detectors: Sequence[Detector], scores: Scores) -> str:
    """The share of stable series with a find."""
    return by_kind(detectors, scores, "stable", lambda score: with_interval(score.with_a_find, score.series))


def changed(detectors: Sequence[Detector], scores: Scores) -> str:
    """Precision and recall."""

    def cell(score: Score) -> str:
        precision = "–" if score.precision is None else f"{score.precision:.2f}"
        return f"{precision} / {score.recall:.2f}"

    return by_kind(detectors, scores, "changed", cell)


def stretches(detectors: Sequence[Detector], scores: Scores) -> str:
    """The share of the series in which each stretch is found, with both ends."""
    return by_kind(detectors, scores, "stretches", lambda score: percent(score.complete / score.series))


def by_kind(detectors: Sequence[Detector], scores: Scores, group: str, cell: Callable[[Score], str]) -> str:
    """A table with a line for each search and a column for each kind of a group."""
    kinds = series.of_group(group)
    rows = [
        [
            *labels(detector),
            str(scores[i, KINDS.index(kinds[0])].series),
            *[cell(scores[i, KINDS.index(kind)]) for kind in kinds],
        ]
        for i, detector in enumerate(detectors)
        if group in detector.groups
    ]
    return markdown(["package", "search", "level", "series", *[kind.name for kind in kinds]], rows, text=3)


def dependence(known: Sequence[tuple[str, Score, Score]], oracle: tuple[float, list[float]]) -> str:
    """What the estimate of the dependence costs, and what no search can exceed."""
    placed, limits = oracle
    rows = [
        [level, *[f"{share:.2f}" for share in (estimated.recall, given.recall, limit, placed)]]
        for (level, estimated, given), limit in zip(known, limits, strict=True)
    ]
    return markdown(["level", "V estimated", "V known", "oracle", "oracle, places only"], rows, text=1)


def nile(detectors: Sequence[Detector], years: Sequence[list[int]]) -> str:
    """The years that each search finds."""
    rows = [
        [*labels(detector), ", ".join(map(str, found)) or "none"]
        for detector, found in zip(detectors, years, strict=True)
    ]
    return markdown(["package", "search", "level", "years"], rows, text=4)


def milliseconds(detectors: Sequence[Detector], scores: Scores) -> str:
    """Processor time for a series of 300 values."""
    rows = []
    for i, detector in enumerate(detectors):
        of_300 = [scores[i, KINDS.index(kind)] for kind in series.of_group("stable")]
        total = sum(score.seconds for score in of_300) / sum(score.series for score in of_300)
        rows.append([*labels(detector), f"{1000 * total:.2g}" if total < 0.1 else f"{1000 * total:.0f}"])
    return markdown(["package", "search", "level", "ms"], rows, text=3)


def kinds() -> str:
    """What the kinds of series are."""
    return markdown(["name", "values"], [[kind.name, kind.about] for kind in KINDS], text=2)


def labels(detector: Detector) -> list[str]:
    """What a line begins with."""
    return [detector.package, detector.call, detector.level]
