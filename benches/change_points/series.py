"""Series whose changes are known. Each kind has its own seed, so a series does not depend on the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Drawn = tuple[Array, list[int]]

SEED = 20261129
N = 300
RHO = 0.6
"""The lag-1 correlation of the autoregressions."""
STRETCH = 20
"""The number of values of a raised stretch, and the fewest between two of them."""
NILE = Path(__file__).resolve().parents[2] / "llmscope-core/tests/reference/change_points.json"


@dataclass(frozen=True)
class Kind:
    """A process. ``draw`` gives the values and the positions of the first value after each change."""

    name: str
    about: str
    draw: Callable[[np.random.Generator], Drawn]
    group: str
    """``stable``, ``changed`` or ``stretches``."""
    inflation: float = 1.0
    """The true V = 1 + 2 Σ ρ_k, by which dependence inflates the variance of a mean."""


def draw(kind: Kind, count: int) -> list[Drawn]:
    """The first series of a kind."""
    number = KINDS.index(kind)
    return [kind.draw(np.random.default_rng([SEED, number, series])) for series in range(count)]


def autoregression(rng: np.random.Generator, n: int = N, rho: float = RHO) -> Array:
    """A first-order autoregression of variance 1, from its stationary distribution."""
    noise = rng.standard_normal(n)
    noise[1:] *= np.sqrt(1 - rho * rho)
    values = noise.copy()
    for i in range(1, n):
        values[i] += rho * values[i - 1]
    return values


def cached(rng: np.random.Generator, misses: Array | float) -> Array:
    """Cache hits of 40 ms and misses of 200 ms."""
    base = np.where(rng.random(N) < misses, 200.0, 40.0)
    return base * np.exp(0.15 * rng.standard_normal(N))


def step(at: int, before: float, after: float) -> Array:
    """One value up to a position, and another one from it on."""
    return np.where(np.arange(N) < at, before, after)


def two_steps(noise: Array) -> Drawn:
    """Half as much again in the middle third."""
    middle = (np.arange(N) >= 100) & (np.arange(N) < 200)
    return 100 * np.where(middle, 1.5, 1.0) * np.exp(0.5 * noise), [100, 200]


def well_log(rng: np.random.Generator) -> Drawn:
    """Nine changes by 1.5 to 4 σ, and 2 % outliers, as in the measurements of a borehole (Ó Ruanaidh & Fitzgerald
    1996)."""
    lengths = rng.integers(60, 140, 10)
    levels = np.cumsum(rng.choice([-1, 1], 10) * rng.uniform(1.5, 4, 10))
    values = np.repeat(levels, lengths) + rng.standard_normal(int(lengths.sum()))
    outliers = rng.random(values.size) < 0.02
    values[outliers] -= rng.uniform(6, 15, int(outliers.sum()))
    return 5000 + 100 * values, [int(at) for at in np.cumsum(lengths)[:-1]]


def stretches(rng: np.random.Generator, n: int, count: int) -> Drawn:
    """Stretches raised by 8 σ, at random places at least a stretch apart and from the ends."""
    free = n - STRETCH * (2 * count + 1)
    offsets = np.sort(rng.integers(0, free + 1, count))
    values = 100 + 5 * rng.standard_normal(n)
    changes: list[int] = []
    for i, offset in enumerate(offsets):
        start = int(offset) + STRETCH * (2 * i + 1)
        values[start : start + STRETCH] += 40
        changes += [start, start + STRETCH]
    return values, changes


def raised(n: int, count: int) -> Kind:
    """A kind of raised stretches."""
    return Kind(
        f"{count} of {n}",
        f"{n} normal values, {count} × {STRETCH} of them raised by 8 σ",
        lambda rng: stretches(rng, n, count),
        "stretches",
    )


AR_INFLATION = (1 + RHO) / (1 - RHO)
KINDS = [
    Kind(
        "lognormal",
        "independent lognormal values, σ of the logarithms 0.5",
        lambda rng: (100 * np.exp(0.5 * rng.standard_normal(N)), []),
        "stable",
    ),
    Kind(
        "AR(1) 0.6",
        "the same with correlated logarithms, ρ 0.6",
        lambda rng: (100 * np.exp(0.5 * autoregression(rng)), []),
        "stable",
        AR_INFLATION,
    ),
    Kind("cache", "20 % cache misses of 200 ms, hits of 40 ms", lambda rng: (cached(rng, 0.2), []), "stable"),
    Kind(
        "two steps",
        "lognormal (0.5), × 1.5 in the middle third",
        lambda rng: two_steps(rng.standard_normal(N)),
        "changed",
    ),
    Kind(
        "two steps, AR(1) 0.6",
        "the same with correlated logarithms, ρ 0.6",
        lambda rng: two_steps(autoregression(rng)),
        "changed",
        AR_INFLATION,
    ),
    Kind(
        "one step",
        "lognormal (0.3), × 1.2 from the middle on",
        lambda rng: (100 * step(150, 1.0, 1.2) * np.exp(0.3 * rng.standard_normal(N)), [150]),
        "changed",
    ),
    Kind(
        "spread",
        "lognormal, σ of the logarithms from 0.2 to 0.5 in the middle, same level",
        lambda rng: (100 * np.exp(step(150, 0.2, 0.5) * rng.standard_normal(N)), [150]),
        "changed",
    ),
    Kind(
        "misses",
        "cache misses from 10 to 35 % in the middle",
        lambda rng: (cached(rng, step(150, 0.1, 0.35)), [150]),
        "changed",
    ),
    Kind("well log", "about 1000 values, nine changes by 1.5 to 4 σ, 2 % outliers", well_log, "changed"),
    *[raised(n, count) for n in (193, 300) for count in (1, 2, 3)],
]


def of_group(group: str) -> list[Kind]:
    """The kinds of a group, in order."""
    return [kind for kind in KINDS if kind.group == group]


def nile() -> tuple[Array, int, int]:
    """The annual flow of the Nile at Aswan (Cobb 1978, *Biometrika* 65), its first year, and the year of its change."""
    data = json.loads(NILE.read_text(encoding="utf-8"))["nile"]
    return np.array(data["volume"], dtype=np.float64), int(data["first_year"]), int(data["change_year"])
