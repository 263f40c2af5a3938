"""The searches that are compared. Each function imports its package, so that the other modules need none of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from series import Array, Kind

MANY = 200
"""Series of a kind for a search that takes milliseconds. Slow ones get the first of the same series."""
SHORT = ("stable", "changed")
"""The groups of kinds for the slowest searches."""
SIMULATIONS = 199
"""Simulated stable series for each calibration of skchange: 999 by default, which takes five times as long."""


@dataclass(frozen=True)
class Detector:
    """A search with its settings. ``find`` gives the positions of the first values after each change."""

    package: str
    call: str
    level: str
    """The stated level, or – if the search has none."""
    find: Callable[[Array], list[int]]
    series: int = MANY
    """The number of series of a kind that it gets."""
    groups: tuple[str, ...] = ("stable", "changed", "stretches")

    def gets(self, kind: Kind) -> bool:
        """Whether it gets series of this kind."""
        return kind.group in self.groups


def level_search(level: float, values: Array, inflation: float | None = None) -> list[int]:
    """llmscope's search for changes of the level."""
    import llmscope as ls

    return [change.at for change in ls.change_points(values, level=level, inflation=inflation)]


def verdict(alpha: float, values: Array) -> list[int]:
    """llmscope's verdict: changes of the level and of the spread share alpha with the failures."""
    import llmscope as ls

    return sorted(change.since.index for change in ls.analyze(values, alpha=alpha).answer.changes)


def otava(p: float, values: Array) -> list[int]:
    """What ``otava analyze --p-value`` computes: windows of 50 values, E-divisive splits, t-tests."""
    from otava.analysis import compute_change_points

    return [int(change.index) for change in compute_change_points(values.tolist(), max_pvalue=p)[0]]


def pelt_l2(values: Array) -> list[int]:
    """PELT with squared errors of the logarithms. BIC: each change has two parameters, its place and a mean."""
    import ruptures

    logarithms = np.log(values)
    penalty = 2 * noise(logarithms) ** 2 * np.log(values.size)
    return without_end(ruptures.Pelt(model="l2", jump=1).fit(logarithms).predict(pen=penalty))


def pelt_normal(values: Array) -> list[int]:
    """PELT with normal logarithms: each change has three parameters. Looks at every fifth place only, by default."""
    import ruptures

    # Since version 1.1.5, it warns in each call that it adds a small number to the variance.
    warnings.simplefilter("ignore", UserWarning)
    return without_end(ruptures.Pelt(model="normal").fit(np.log(values)).predict(pen=3 * np.log(values.size)))


def kernel(values: Array) -> list[int]:
    """The search in C with a Gaussian kernel."""
    import ruptures

    return without_end(ruptures.KernelCPD(kernel="rbf").fit(np.log(values)).predict(pen=10))


def seeded(values: Array) -> list[int]:
    """Seeded binary segmentation with the default penalty, which assumes noise of variance 1."""
    from skchange.detectors import SeededBinarySegmentation

    return [int(at) for at in SeededBinarySegmentation().fit_predict(standardized(values))]


def calibrated(sampler: str, level: float, values: Array) -> list[int]:
    """The same with a penalty that is calibrated on the series itself: permuted, or in blocks of 6."""
    from skchange.detectors import SeededBinarySegmentation
    from skchange.tuning import CalibratedDetectorFWER

    search = CalibratedDetectorFWER(
        SeededBinarySegmentation(), sampler=sampler, level=level, n_simulations=SIMULATIONS, random_state=1
    )
    columns = standardized(values)
    return [int(at) for at in search.fit(columns).predict(columns)]


def without_end(places: list[int]) -> list[int]:
    """The places without the last one, which ruptures puts at the end of the series."""
    return [int(at) for at in places[:-1]]


def noise(values: Array) -> float:
    """The standard deviation of independent noise, by the differences of neighbors, in which changes hardly count."""
    return float(np.std(np.diff(values)) / np.sqrt(2))


def standardized(values: Array) -> Array:
    """One column of logarithms with noise of variance 1."""
    logarithms = np.log(values)
    return (logarithms / noise(logarithms)).reshape(-1, 1)


def named(level: float) -> str:
    """A level in percent."""
    return f"{100 * level:g} %"


LEVELS = [0.05, 0.01]
DETECTORS = [
    *[
        Detector("LLMscope", f"`change_points(x, level={level})`", named(level), partial(level_search, level))
        for level in LEVELS
    ],
    *[Detector("LLMscope", f"`analyze(x, alpha={level})`", named(level), partial(verdict, level)) for level in LEVELS],
    Detector("Otava", "defaults", "0.1 %", partial(otava, 0.001)),
    *[Detector("Otava", f"`--p-value {level}`", named(level), partial(otava, level)) for level in LEVELS],
    Detector("ruptures", '`Pelt("l2", jump=1)`, BIC', "–", pelt_l2, 30),
    Detector("ruptures", '`Pelt("normal")`, BIC', "–", pelt_normal, 100),
    Detector("ruptures", '`KernelCPD("rbf")`, penalty 10', "–", kernel),
    Detector("skchange", "`SeededBinarySegmentation()`", "–", seeded),
    *[
        Detector("skchange", f"calibrated, {blocks}", named(level), partial(calibrated, sampler, level), 20, SHORT)
        for sampler, blocks in (("permutation", "permuted"), ("block_bootstrap", "in blocks"))
        for level in LEVELS
    ],
]


def known_dependence(level: float, kind: Kind) -> Detector:
    """llmscope's search if V of a kind is known."""
    find = partial(level_search, level, inflation=kind.inflation)
    return Detector("LLMscope", f"V = {kind.inflation:g} is known", named(level), find)
